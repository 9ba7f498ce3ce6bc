using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.State;
using Matrix.Rooms.Unread;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Joining;

/// <summary>
/// Makes a room whole that was joined without its members (docs/adr/0028). What is stored before is not seen by anybody, and is used again by the next try; one small
/// change of the log then makes it count.
/// </summary>
sealed class RoomCompletion(
    EventBuilding building, BulkState bulk, RoomHeads heads, EventStore events, MembershipStore memberships, RoomServers servers,
    PartialRoomStore partialRooms, RoomAudiences audiences, LogWriter log)
{
    ServerName OwnName => building.Server.ServerName;

    /// <summary>Adds the members that another server tells of the state before the join. Does nothing if somebody else was first.</summary>
    public async Task Complete(Room room, PartialRoom partial, ToldEvents told, CancellationToken ct)
    {
        var join = (await events.Get([partial.JoinNid], ct))[partial.JoinNid];
        if (!await partialRooms.Contains(partial, ct))
            return;
        var known = (await building.Tree.ReadAll(join.StateBefore!.Value, ct)).Where(e => e.Key.Type == EventTypes.Member).ToList();
        var members = Members(told, known.Select(e => e.Key.StateKey).ToHashSet(StringComparer.Ordinal));
        await bulk.StoreMemberships(room, members, ct);
        await bulk.ForgetAbsent(room, members.Select(m => m.Event.Key.StateKey).Concat(known.Select(e => e.Key.StateKey)), ct);
        await servers.Recount(room.RoomNid, OwnName, ct);
        var (before, counts) = ((await building.StateEvents.Get(known.Select(e => e.EventNid).ToHashSet(), ct)).Values, (Joined: 0, Invited: 0));
        foreach (var membership in before.Where(pdu => pdu.StateKey != join.StateKey).Select(pdu => pdu.Membership)
            .Concat(members.Where(m => m.Event.Key.StateKey != join.StateKey).Select(m => m.Event.Membership)).Append("join"))
            counts = (counts.Joined + (membership == "join" ? 1 : 0), counts.Invited + (membership == "invite" ? 1 : 0));
        var whole = await bulk.StoreTree(join.StateBefore.Value, members.Select(m => m.Assignment), ct);
        while (!await TryFinish(room, partial, join, whole, members, counts, ct))
        {
            // somebody wrote in the room
        }
    }

    /// <summary>Nobody tells the members. If nobody of this server is in the room any more, they are not asked for again.</summary>
    public async Task<bool> TryAbandon(PartialRoom partial, CancellationToken ct) =>
        !await memberships.IsResident(partial.RoomNid, OwnName, ct) && await partialRooms.Abandon(partial, ct);

    async Task<bool> EndLeft(PartialRoom partial, StoredEvent join, IReadOnlyDictionary<StateNodeId, StateNodeId> roots, CancellationToken ct)
    {
        try
        {
            await bulk.EndLeft(partial, join, roots, ct);
            return true;
        }
        catch (PostgresException e) when (e.SqlState == HeadMovedException.SqlState)
        {
            return false; // somebody has joined it anew
        }
    }

    /// <summary>Those whom the partial state does not know: of what was told with the join nothing changes.</summary>
    static List<Standing> Members(ToldEvents told, HashSet<string> known)
    {
        var members = new Dictionary<string, Standing>(StringComparer.Ordinal);
        foreach (var e in told.State)
        {
            if (e.IsMember && !known.Contains(e.Key.StateKey) && told.Find(e.EventId) is (var nid, false))
                members[e.Key.StateKey] = new Standing(nid, e);
        }
        return [.. members.Values];
    }

    /// <summary>From the states without members that the room's events stand in to those with them: what the events changed, put into the whole state before them.</summary>
    async Task<Dictionary<StateNodeId, StateNodeId>> Roots(Room room, StoredEvent join, StateNodeId whole, StateNodeId current, CancellationToken ct)
    {
        var before = join.StateBefore!.Value;
        var roots = new Dictionary<StateNodeId, StateNodeId> { [before] = whole };
        foreach (var root in (await events.ListRootsFrom(room.RoomNid, join.Position!.Value, ct)).Append(current))
        {
            if (roots.ContainsKey(root))
                continue;
            var changed = await building.Tree.Diff(before, root, ct);
            roots[root] = await bulk.StoreTree(whole, changed.Where(d => d.After is not null).Select(d => new StateAssignment(d.Key, d.After!.Value)), ct);
        }
        return roots;
    }

    /// <summary>False: the head has moved.</summary>
    async Task<bool> TryFinish(Room room, PartialRoom partial, StoredEvent join, StateNodeId whole, List<Standing> members, (int, int) counts, CancellationToken ct)
    {
        using var seat = await heads.Enter(room.RoomNid, ct);
        await seat.Settle(ct);
        seat.Forget();
        var head = await seat.Head(ct);
        if (!head.IsPartial || !await partialRooms.Contains(partial, ct))
            return true;
        var roots = await Roots(room, join, whole, head.StateRoot, ct);
        if (!await memberships.IsResident(room.RoomNid, OwnName, ct))
            return await EndLeft(partial, join, roots, ct);
        var locals = members.Where(m => bulk.IsLocal(m) && m.Event.Key.StateKey != join.StateKey).ToList();
        var rows = locals.Count == 0 ? [] : (await memberships.ListOf(room.RoomNid, OwnName, ct)).ToDictionary(row => row.UserId);
        var moved = locals.Where(m => rows.GetValueOrDefault(m.Event.Key.StateKey)?.EventNid != m.EventNid)
            .Select(m => new MovedMember(m, rows.GetValueOrDefault(m.Event.Key.StateKey)?.Membership ?? "leave")).ToList();
        try
        {
            await log.Append(new WholeRoomChange(room, partial, head, join, roots, moved, counts), ct);
            audiences.Forget(room.RoomNid);
            return true;
        }
        catch (HeadMovedException)
        {
            return false;
        }
        finally
        {
            seat.Forget();
        }
    }
}
