using System.Text.Json;
using Matrix.Http;

namespace Matrix.ClientApi.Sync.Filters;

/// <summary>A compiled filter for sync (Client-Server API, "Filtering"). event_fields is not applied: a server may send more.</summary>
sealed class SyncFilter
{
    public static readonly SyncFilter Everything = new();

    HashSet<string>? rooms;
    HashSet<string>? notRooms;

    public EventFilter Presence { get; private init; } = EventFilter.Everything;

    public EventFilter AccountData { get; private init; } = EventFilter.Everything;

    public EventFilter State { get; private init; } = EventFilter.Everything;

    public EventFilter Timeline { get; private init; } = EventFilter.Everything;

    public EventFilter Ephemeral { get; private init; } = EventFilter.Everything;

    public EventFilter RoomAccountData { get; private init; } = EventFilter.Everything;

    public bool IncludeLeave { get; private init; }

    public int TimelineLimit => Timeline.Limit ?? EventFilter.DefaultLimit;

    public static SyncFilter Parse(JsonElement json)
    {
        var filter = new FilterReader(json);
        filter.Choice("event_format", "client", "federation");
        filter.Strings("event_fields");
        var room = new FilterReader(filter.Find("room") ?? Empty);
        return new SyncFilter
        {
            Presence = filter.Filter("presence"),
            AccountData = filter.Filter("account_data"),
            rooms = room.Strings("rooms")?.ToHashSet(StringComparer.Ordinal),
            notRooms = room.Strings("not_rooms")?.ToHashSet(StringComparer.Ordinal),
            IncludeLeave = room.Boolean("include_leave") ?? false,
            State = room.Filter("state"),
            Timeline = room.Filter("timeline"),
            Ephemeral = room.Filter("ephemeral"),
            RoomAccountData = room.Filter("account_data"),
        };
    }

    /// <summary>Parses inline JSON of a query parameter.</summary>
    public static JsonElement ParseText(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            throw MatrixException.InvalidParam("The filter is not valid JSON.");
        }
    }

    public bool PassesRoom(string roomId) => rooms?.Contains(roomId) != false && notRooms?.Contains(roomId) != true;

    static readonly JsonElement Empty = JsonElement.Parse("{}");
}
