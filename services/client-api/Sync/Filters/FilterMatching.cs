using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Filters;

/// <summary>Filters applied to events as readers have them: ids as text, parsed only for a filter that looks at them.</summary>
static class FilterMatching
{
    /// <summary>What a timeline holds when the client does not say, and the most that it holds at all.</summary>
    const int DefaultLimit = 10;
    const int MaxLimit = 500;

    public static int TimelineLimit(this FilterDefinition filter) => Math.Min(filter.Room.Timeline.Limit ?? DefaultLimit, MaxLimit);

    public static bool PassesRoom(this FilterDefinition filter, string roomId) =>
        (filter.Room.Rooms is null && filter.Room.NotRooms.Count == 0) || filter.Room.Includes(RoomId.Parse(roomId));

    public static bool PassesRoom(this RoomEventFilter filter, string roomId) =>
        (filter.Rooms is null && filter.NotRooms.Count == 0) || filter.Includes(RoomId.Parse(roomId));

    /// <summary>Looks at everything but the room.</summary>
    public static bool Passes(this RoomEventFilter filter, EncodedEvent e) => filter.AllowsAll
        || (filter.AllowsType(e.Type)
            && ((filter.Senders is null && filter.NotSenders.Count == 0) || filter.AllowsSender(UserId.Parse(e.Sender)))
            && filter.AllowsContent(e.Content.Span));

    /// <summary>True when no event can pass.</summary>
    public static bool PassesNone(this RoomEventFilter filter) => filter.Limit == 0 || filter.IsEmpty || filter.Rooms is { Count: 0 };

    /// <summary>The filter as Postgres applies it; null when it keeps nothing out.</summary>
    public static EventsWanted? ToWanted(this RoomEventFilter filter) => filter is { AllowsAll: true, RelatedByRelTypes: null, RelatedBySenders: null } ? null : new EventsWanted(
        filter.Types is { } types ? [.. types.Select(Like)] : null, [.. filter.NotTypes.Select(Like)],
        filter.Senders is { } senders ? [.. senders.Select(sender => sender.ToString())] : null, [.. filter.NotSenders.Select(sender => sender.ToString())],
        filter.ContainsUrl == true, filter.RelatedByRelTypes is { } related ? [.. related] : null,
        filter.RelatedBySenders is { } by ? [.. by.Select(sender => sender.ToString())] : null);

    static string Like(string pattern) => pattern.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal)
        .Replace("_", @"\_", StringComparison.Ordinal).Replace('*', '%').Replace("\0", "", StringComparison.Ordinal);
}
