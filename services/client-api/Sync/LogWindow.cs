using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Devices;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>A membership event of somebody else in one of the user's rooms.</summary>
readonly record struct MemberPlace(string UserId, long RoomNid, long EventNid);

/// <summary>What the log says happened in (after, upTo] that can concern a user.</summary>
sealed class LogWindow
{
    readonly Dictionary<long, List<TimelinePlace>> timelines = [];
    readonly HashSet<long> withGaps = [];

    public List<TimelinePlace> OwnMemberships { get; } = [];

    /// <summary>Rooms in which branches met: their state changed by more than their events.</summary>
    public HashSet<long> Merged { get; } = [];

    public bool HasAccountData { get; private set; }

    /// <summary>There may be messages to the device.</summary>
    public bool HasToDevice { get; private set; }

    /// <summary>Whose devices changed: anybody, whether they share a room or not.</summary>
    public HashSet<string> DeviceLists { get; } = new(StringComparer.Ordinal);

    /// <summary>Others whose keys the user has signed.</summary>
    public HashSet<string> SignedUsers { get; } = new(StringComparer.Ordinal);

    /// <summary>Membership events of others in rooms that the user is in.</summary>
    public List<MemberPlace> Members { get; } = [];

    /// <summary>The positions of receipts in the user's rooms, without the private ones of others.</summary>
    public List<long> Receipts { get; } = [];

    /// <summary>Rooms of the user's in which events notify somebody, or the user has read on.</summary>
    public HashSet<long> CountsMoved { get; } = [];

    /// <summary>Rooms of the user's in which something was written to the timeline.</summary>
    public IReadOnlyCollection<long> Rooms => timelines.Keys;

    /// <summary>False when only the log's table has the window: the timelines have to be asked for.</summary>
    public bool HasTimelines { get; private init; }

    /// <summary>All events of the room in the window, oldest first. Null: Postgres has to be asked, for the log does not tell what has been put into a gap since.</summary>
    public IReadOnlyList<TimelinePlace>? Timeline(long room) => !HasTimelines || withGaps.Contains(room) ? null : timelines.GetValueOrDefault(room) ?? [];

    /// <summary>From the entries that this process remembers, without asking Postgres.</summary>
    public static LogWindow Read(IReadOnlyList<LogEntry> entries, LogPosition upTo, string userId, string deviceId, Func<long, bool> isOfUser)
    {
        var window = new LogWindow { HasTimelines = true };
        foreach (var entry in entries)
        {
            if (entry.Position > upTo)
                break;
            window.Add(entry, userId, deviceId, isOfUser);
        }
        return window;
    }

    /// <summary>From Postgres, for a client that was away for longer than this process remembers.</summary>
    public static async Task<LogWindow> Read(SyncStore store, LogPosition after, LogPosition upTo, string userId, long[] rooms, CancellationToken ct)
    {
        var window = new LogWindow { HasAccountData = true, HasToDevice = true, HasTimelines = false };
        window.OwnMemberships.AddRange(await store.ListOwnMemberships(userId, after.Value, upTo.Value, ct));
        foreach (var room in await store.ListChangedRooms(rooms, after.Value, ct))
            window.timelines.Add(room, []);
        foreach (var own in window.OwnMemberships)
            window.timelines.TryAdd(own.RoomNid, []);
        window.Merged.UnionWith(await store.ListMergedRooms([.. window.timelines.Keys], after.Value, upTo.Value, ct));
        return window;
    }

    void Add(LogEntry entry, string userId, string deviceId, Func<long, bool> isOfUser)
    {
        switch (entry)
        {
            case { Kind: LogKind.Event, RoomNid: { } room, EventNid: { } nid }:
                var own = entry.UserId == userId && entry.Key == EventTypes.Member;
                if (entry.Skipped > 0)
                    withGaps.Add(room);
                if (own || isOfUser(room))
                    Add(new TimelinePlace(room, nid, entry.Position.Value), own);
                if (!own && entry is { Key: EventTypes.Member, UserId: { } member } && isOfUser(room))
                    Members.Add(new MemberPlace(member, room, nid));
                if (entry.Note is not null && isOfUser(room))
                    CountsMoved.Add(room);
                break;
            case { Kind: LogKind.ToDevice }:
                HasToDevice |= ToDeviceRecipients.Concerns(entry, userId, deviceId);
                break;
            case { Kind: LogKind.DeviceList, Key: null, UserId: { } changed }:
                DeviceLists.Add(changed);
                break;
            case { Kind: LogKind.DeviceList, Key: { } signed } when entry.UserId == userId:
                SignedUsers.Add(signed);
                break;
            case { Kind: LogKind.StateMerge, RoomNid: { } room }:
                Merged.Add(room);
                break;
            case { Kind: LogKind.Membership, RoomNid: { } room, EventNid: { } nid } when entry.UserId == userId:
                OwnMemberships.Add(new TimelinePlace(room, nid, entry.Position.Value));
                timelines.TryAdd(room, []);
                break;
            case { Kind: LogKind.Receipt, RoomNid: { } room } when (entry.Key != Receipt.PrivateRead || entry.UserId == userId) && isOfUser(room):
                Receipts.Add(entry.Position.Value);
                if (entry.UserId == userId)
                    CountsMoved.Add(room);
                break;
            case { Kind: LogKind.AccountData or LogKind.PushRules } when entry.UserId == userId:
                HasAccountData = true;
                break;
        }
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
