using Matrix.ClientApi.Sync.Visibility;
using Matrix.Replication;
using Matrix.Storage.Keys;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Devices;

/// <summary>Users whose keys a client has to ask for again, and those whose it need not follow any more.</summary>
sealed record DeviceListChanges(IReadOnlyCollection<string> Changed, IReadOnlyCollection<string> Left)
{
    public static readonly DeviceListChanges None = new([], []);

    public bool IsEmpty => Changed.Count + Left.Count == 0;
}

/// <summary>
/// What changed of others' devices for a user (Client-Server API, "Tracking the device list for a user"): devices of those who share a room, and who
/// began or ceased to share one. Rooms of all kinds count, encrypted or not: a room may become encrypted any time.
/// </summary>
sealed class DeviceListReader(
    DeviceListStore store, SharedRooms shared, EventCache events, VisibilityFilter visibility, MembershipHistory history, LogFollower follower, SyncStore sync)
{
    /// <summary>What changed in (since, rooms.Position].</summary>
    public async Task<DeviceListChanges> ReadSince(string userId, string deviceId, LogPosition since, UserRooms rooms, CancellationToken ct)
    {
        var joined = Joined(rooms);
        var window = follower.Recent.TryRead(since, rooms.Position, out var entries)
            ? LogWindow.Read(entries, rooms.Position, userId, deviceId, joined.Contains)
            : await LogWindow.Read(sync, since, rooms.Position, userId, [.. joined], ct);
        return await Read(userId, since, rooms, window, ct);
    }

    /// <param name="window">What the log says of (since, rooms.Position].</param>
    public async Task<DeviceListChanges> Read(string userId, LogPosition since, UserRooms rooms, LogWindow window, CancellationToken ct)
    {
        if (window.HasTimelines && window.DeviceLists.Count + window.SignedUsers.Count + window.Members.Count + window.OwnMemberships.Count == 0)
            return DeviceListChanges.None;
        var found = new Found(userId, Joined(rooms));
        await FindOwn(found, window, rooms, ct);
        if (window.HasTimelines)
            await FindMembers(found, window, ct);
        else
            await FindStored(found, since, rooms, ct);
        found.Changed.UnionWith(window.SignedUsers);
        var asked = new HashSet<string>(found.Joined, StringComparer.Ordinal);
        asked.UnionWith(window.DeviceLists);
        asked.UnionWith(found.Gone);
        asked.Remove(userId);
        return found.Decide(window.DeviceLists, await shared.Get(asked, ct));
    }

    // Rooms that the user came into or went from: everybody in them.
    async Task FindOwn(Found found, LogWindow window, UserRooms rooms, CancellationToken ct)
    {
        var (entered, left) = (new List<long>(), new List<long>());
        foreach (var own in window.OwnMemberships.Where(place => !rooms.Hidden.Contains(place.RoomNid)).ToLookup(place => place.RoomNid))
        {
            var stay = await history.Read(found.UserId, [.. own], ct);
            var isIn = rooms.Rooms.TryGetValue(own.Key, out var room) && room.Membership == "join";
            if (isIn && !stay.Unbroken)
                entered.Add(own.Key);
            else if (!isIn && (stay.JoinedBefore || stay.End > 0))
                left.Add(own.Key);
        }
        if (entered.Count > 0)
            found.Changed.UnionWith(await store.ListMembers([.. entered], ct));
        if (left.Count > 0)
            found.Gone.UnionWith(await store.ListMembers([.. left], ct));
    }

    // Others who came into the user's rooms or went from them. A member event may be no more than another name.
    async Task FindMembers(Found found, LogWindow window, CancellationToken ct)
    {
        if (window.Members.Count == 0)
            return;
        var batch = new EventBatch();
        await events.Load(batch, [.. window.Members.Select(member => member.EventNid)], ct);
        foreach (var member in window.Members)
        {
            if (batch.Find(member.EventNid) is not { StateKey: { } who, StateBefore: { } state } e)
                continue;
            var before = await visibility.FindMembership(state, who, ct);
            if (e.Membership == "join" && before != "join")
                found.Join(who, member.RoomNid);
            else if (e.Membership != "join" && before == "join")
                found.Gone.Add(who);
        }
    }

    async Task FindStored(Found found, LogPosition since, UserRooms rooms, CancellationToken ct)
    {
        found.Changed.UnionWith(await store.ListChanged(found.UserId, [.. found.Rooms], since.Value, ct));
        foreach (var member in await store.ListMemberChanges(found.UserId, [.. found.Rooms], since.Value, rooms.Position.Value, ct))
        {
            if (member.Membership == "join")
                found.Join(member.UserId, member.RoomNid);
            else if (member.Membership is "leave" or "ban")
                found.Gone.Add(member.UserId);
        }
    }

    static HashSet<long> Joined(UserRooms rooms) => [.. rooms.Rooms.Values.Where(room => room.Membership == "join").Select(room => room.RoomNid)];

    sealed class Found(string userId, HashSet<long> rooms)
    {
        readonly HashSet<(string, long)> joins = [];

        public string UserId => userId;

        public HashSet<long> Rooms => rooms;

        public HashSet<string> Changed { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Joined { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Gone { get; } = new(StringComparer.Ordinal);

        public void Join(string who, long room)
        {
            Joined.Add(who);
            joins.Add((who, room));
        }

        public DeviceListChanges Decide(IReadOnlyCollection<string> deviceLists, Dictionary<string, long[]> roomsOf)
        {
            foreach (var who in deviceLists)
            {
                if (who == userId || Shares(who))
                    Changed.Add(who);
            }
            // whoever was in another of the rooms before is known already
            foreach (var who in Joined)
            {
                if (Shares(who) && !roomsOf[who].Any(room => rooms.Contains(room) && !joins.Contains((who, room))))
                    Changed.Add(who);
            }
            Gone.RemoveWhere(who => who == userId || Shares(who));
            Changed.ExceptWith(Gone);
            return new DeviceListChanges(Changed, Gone);

            bool Shares(string who) => roomsOf.TryGetValue(who, out var theirs) && Array.Exists(theirs, rooms.Contains);
        }
    }
}
