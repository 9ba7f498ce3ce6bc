using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>What the log says happened in (after, upTo] that can concern a user.</summary>
sealed class LogWindow
{
    readonly Dictionary<long, List<TimelinePlace>> timelines = [];

    public List<TimelinePlace> OwnMemberships { get; } = [];

    public bool HasAccountData { get; private init; }

    /// <summary>Rooms of the user's in which something was written to the timeline.</summary>
    public IReadOnlyCollection<long> Rooms => timelines.Keys;

    /// <summary>False when only the log's table has the window: the timelines have to be asked for.</summary>
    public bool HasTimelines { get; private init; }

    /// <summary>All events of the room in the window, oldest first.</summary>
    public IReadOnlyList<TimelinePlace> Timeline(long room) => timelines.GetValueOrDefault(room) ?? [];

    /// <summary>From the entries that this process remembers, without asking Postgres.</summary>
    public static LogWindow Read(IReadOnlyList<LogEntry> entries, LogPosition upTo, string userId, Func<long, bool> isOfUser)
    {
        var hasAccountData = false;
        var window = new List<(LogEntry Entry, bool Own)>();
        foreach (var entry in entries)
        {
            if (entry.Position > upTo)
                break;
            if (entry is { Kind: LogKind.Event, RoomNid: { } room, EventNid: not null })
            {
                var own = entry.UserId == userId && entry.Key == EventTypes.Member;
                if (own || isOfUser(room))
                    window.Add((entry, own));
            }
            hasAccountData |= entry.Kind is LogKind.AccountData or LogKind.PushRules && entry.UserId == userId;
        }
        var result = new LogWindow { HasAccountData = hasAccountData, HasTimelines = true };
        foreach (var (entry, own) in window)
            result.Add(new TimelinePlace(entry.RoomNid!.Value, entry.EventNid!.Value, entry.Position.Value), own);
        return result;
    }

    /// <summary>From Postgres, for a client that was away for longer than this process remembers.</summary>
    public static async Task<LogWindow> Read(SyncStore store, LogPosition after, LogPosition upTo, string userId, long[] rooms, CancellationToken ct)
    {
        var window = new LogWindow { HasAccountData = true, HasTimelines = false };
        window.OwnMemberships.AddRange(await store.ListOwnMemberships(userId, after.Value, upTo.Value, ct));
        foreach (var room in await store.ListChangedRooms(rooms, after.Value, ct))
            window.timelines.Add(room, []);
        foreach (var own in window.OwnMemberships)
            window.timelines.TryAdd(own.RoomNid, []);
        return window;
    }

    void Add(TimelinePlace place, bool own)
    {
        if (own)
            OwnMemberships.Add(place);
        if (!timelines.TryGetValue(place.RoomNid, out var timeline))
            timelines.Add(place.RoomNid, timeline = []);
        timeline.Add(place);
    }
}
