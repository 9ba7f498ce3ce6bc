using Matrix.ClientApi.Sync.Filters;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Rooms and account data that belong into an answer.</summary>
sealed class Changes
{
    public List<RoomChange> Rooms { get; } = [];

    public List<UserMembership> Invited { get; } = [];

    public List<UserMembership> Knocked { get; } = [];

    /// <summary>There may be messages to the device.</summary>
    public bool ToDevice { get; init; }

    /// <summary>What the log says of the time since the token; null for a client that knows nothing.</summary>
    public LogWindow? Window { get; init; }

    /// <summary>Some of the user's account data may have changed.</summary>
    public bool AccountData { get; init; }

    /// <summary>The user's push rules may have changed.</summary>

    /// <summary>Where receipts were written that the user may see.</summary>
    public IReadOnlyList<long> ReceiptPositions { get; init; } = [];

    /// <summary>Rooms in which something was written that can change how much is unread for the user.</summary>
    public IReadOnlyCollection<long> CountsMoved { get; init; } = [];

    /// <summary>There may be more of them, which only Postgres knows.</summary>
    public bool ReceiptsFromStore { get; init; }
}

/// <summary>Decides what belongs into an answer: which rooms, from where to where, and as what.</summary>
sealed class ChangeFinder(SyncStore store, LogFollower follower, MembershipHistory history)
{
    /// <summary>Everything, for a client that knows nothing.</summary>
    public async Task<Changes> FindAll(SyncRequest request, UserRooms rooms, CancellationToken ct)
    {
        var changes = new Changes { AccountData = true, ToDevice = true };
        foreach (var room in rooms.Rooms.Values.Where(room => request.Filter.PassesRoom(room.RoomId)))
        {
            if (room.Membership == "join")
                changes.Rooms.Add(Fresh(room, rooms.Position));
            else
                AddStripped(changes, room);
        }
        if (request.Filter.Room.IncludeLeave)
        {
            foreach (var room in (await store.ListLeft(request.UserId, ct)).Where(room => request.Filter.PassesRoom(room.RoomId)))
            {
                var end = await history.FindStayEnd(request.UserId, room.RoomNid, ct);
                changes.Rooms.Add(Fresh(room, new LogPosition(room.Position)) with { Left = true, Full = end > 0, VisibleUntil = end });
            }
        }
        return changes;
    }

    /// <summary>What changed since a position.</summary>
    public async Task<Changes> FindSince(SyncRequest request, LogPosition since, UserRooms rooms, CancellationToken ct)
    {
        var window = await ReadWindow(request, since, rooms, ct);
        var changes = new Changes
        {
            Window = window,
            ToDevice = window.HasToDevice || request.ToDeviceSince < since,
            AccountData = window.HasAccountData,
            ReceiptPositions = window.Receipts,
            CountsMoved = window.CountsMoved,
            ReceiptsFromStore = !window.HasTimelines,
        };
        var own = window.OwnMemberships.ToLookup(place => place.RoomNid);
        foreach (var nid in window.Rooms)
        {
            if (rooms.Hidden.Contains(nid))
                continue;
            var room = rooms.Rooms.GetValueOrDefault(nid) ?? await history.FindMembership([.. own[nid]], ct);
            if (room is null || !request.Filter.PassesRoom(room.RoomId))
                continue;
            var known = window.Timeline(nid);
            if (room.Membership is "invite" or "knock")
                AddStripped(changes, room, since);
            else if (!own.Contains(nid))
                changes.Rooms.Add(new RoomChange(nid, room.RoomId, false, false, since.Value, rooms.Position.Value, null, known));
            else
                await AddOwn(changes, request, since, rooms, room, [.. own[nid]], known, ct);
        }
        for (var i = 0; i < changes.Rooms.Count && window.Merged.Count > 0; i++)
            changes.Rooms[i] = changes.Rooms[i] with { Merged = window.Merged.Contains(changes.Rooms[i].RoomNid) };
        if (request.FullState)
            AddUnchanged(changes, request, since, rooms);
        return changes;
    }

    async Task AddOwn(
        Changes changes, SyncRequest request, LogPosition since, UserRooms rooms, UserMembership room, List<TimelinePlace> own,
        IReadOnlyList<TimelinePlace>? known, CancellationToken ct)
    {
        var stay = await history.Read(request.UserId, own, ct);
        if (room.Membership != "join")
        {
            var fresh = !stay.JoinedBefore && stay.End > 0;
            var end = own[^1].Position;
            changes.Rooms.Add(new RoomChange(
                room.RoomNid, room.RoomId, true, fresh, since.Value, end, stay.End, null) { Outside = stay.Outside });
        }
        else
        {
            changes.Rooms.Add(stay.Unbroken
                ? new RoomChange(room.RoomNid, room.RoomId, false, false, since.Value, rooms.Position.Value, null, known)
                : Fresh(room, rooms.Position));
        }
    }

    static void AddUnchanged(Changes changes, SyncRequest request, LogPosition since, UserRooms rooms)
    {
        var present = changes.Rooms.ToDictionary(change => change.RoomNid);
        changes.Rooms.Clear();
        changes.Rooms.AddRange(present.Values.Select(change => change with { Full = true }));
        changes.Rooms.AddRange(rooms.Rooms.Values
            .Where(room => room.Membership == "join" && !present.ContainsKey(room.RoomNid) && request.Filter.PassesRoom(room.RoomId))
            .Select(room => new RoomChange(room.RoomNid, room.RoomId, false, true, since.Value, rooms.Position.Value, null, [])));
    }

    static void AddStripped(Changes changes, UserMembership room, LogPosition? since = null)
    {
        if (room.Position > (since ?? LogPosition.Start).Value)
            (room.Membership == "invite" ? changes.Invited : room.Membership == "knock" ? changes.Knocked : []).Add(room);
    }

    static RoomChange Fresh(UserMembership room, LogPosition upTo) =>
        new(room.RoomNid, room.RoomId, false, true, long.MinValue, upTo.Value, long.MaxValue, null);

    async Task<LogWindow> ReadWindow(SyncRequest request, LogPosition since, UserRooms rooms, CancellationToken ct)
    {
        if (follower.Recent.TryRead(since, rooms.Position, out var entries))
            return LogWindow.Read(
                entries, rooms.Position, request.UserId, request.DeviceId,
                room => rooms.Rooms.TryGetValue(room, out var known) && known.Membership == "join");
        var joined = rooms.Rooms.Values.Where(room => room.Membership == "join").Select(room => room.RoomNid).ToArray();
        return await LogWindow.Read(store, since, rooms.Position, request.UserId, joined, ct);
    }
}
