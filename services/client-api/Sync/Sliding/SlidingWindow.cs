using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>What the log says happened since a position, as far as it is remembered here. What is not remembered has to be asked for.</summary>
sealed class SlidingWindow
{
    readonly Dictionary<long, List<TimelinePlace>> timelines = [];
    readonly Dictionary<long, List<TimelinePlace>> own = [];
    readonly HashSet<long> withGaps = [];

    /// <summary>False: only Postgres knows.</summary>
    public bool IsKnown { get; private init; }

    public LogPosition After { get; private init; }

    /// <summary>Of receipts that the user may see, in rooms.</summary>
    public List<(long RoomNid, long Position)> Receipts { get; } = [];

    /// <summary>Rooms in which the user has read on.</summary>
    public HashSet<long> Read { get; } = [];

    public bool HasAccountData { get; private set; }

    public bool HasThreadSubscriptions { get; private set; }

    public static SlidingWindow Of(LogFollower follower, LogPosition? after, LogPosition upTo, string userId)
    {
        if (after is not { } since || !follower.Recent.TryRead(since, upTo, out var entries))
            return new SlidingWindow { HasAccountData = true, HasThreadSubscriptions = true };
        var window = new SlidingWindow { IsKnown = true, After = since };
        foreach (var entry in entries)
            window.Add(entry, userId);
        return window;
    }

    /// <summary>All events of the room after a position, newest first; null: not known, nor does the log tell what has been put into a gap since.</summary>
    public IReadOnlyList<TimelinePlace>? Timeline(long room, long after)
    {
        if (!IsKnown || after < After.Value || withGaps.Contains(room))
            return null;
        if (!timelines.TryGetValue(room, out var places))
            return [];
        return [.. places.Where(place => place.Position > after).Reverse()];
    }

    /// <summary>The user's own membership events in the room after a position, oldest first; null: not known.</summary>
    public IReadOnlyList<TimelinePlace>? OwnMemberships(long room, long after) => !IsKnown || after < After.Value ? null
        : own.TryGetValue(room, out var places) ? [.. places.Where(place => place.Position > after)]
        : [];

    void Add(LogEntry entry, string userId)
    {
        switch (entry)
        {
            case { Kind: LogKind.Event, RoomNid: { } room, EventNid: { } nid }:
                var place = new TimelinePlace(room, nid, entry.Position.Value);
                if (entry.Skipped > 0)
                    withGaps.Add(room);
                Add(timelines, place);
                if (entry.UserId == userId && entry.Key == EventTypes.Member)
                    Add(own, place);
                break;
            case { Kind: LogKind.Membership, RoomNid: { } room, EventNid: { } nid } when entry.UserId == userId:
                Add(own, new TimelinePlace(room, nid, entry.Position.Value));
                break;
            case { Kind: LogKind.Receipt, RoomNid: { } room } when entry.Key != Receipt.PrivateRead || entry.UserId == userId:
                Receipts.Add((room, entry.Position.Value));
                if (entry.UserId == userId)
                    Read.Add(room);
                break;
            case { Kind: LogKind.AccountData or LogKind.PushRules } when entry.UserId == userId:
                HasAccountData = true;
                break;
            case { Kind: LogKind.ThreadSubscription } when entry.UserId == userId:
                HasThreadSubscriptions = true;
                break;
        }
    }

    static void Add(Dictionary<long, List<TimelinePlace>> byRoom, TimelinePlace place)
    {
        if (!byRoom.TryGetValue(place.RoomNid, out var places))
            byRoom.Add(place.RoomNid, places = []);
        places.Add(place);
    }
}
