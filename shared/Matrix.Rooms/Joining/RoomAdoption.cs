using Matrix.Protocol;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Joining;

/// <summary>What another server told of a room that one of our users has joined there.</summary>
/// <param name="Events">The state before the join, stored, and the auth chains of it and of the join.</param>
sealed record JoinedRoom(Room Room, Pdu Join, ToldEvents Events)
{
    /// <summary>The members of other servers are not in the state.</summary>
    public bool MembersOmitted { get; init; }

    /// <summary>The servers that were in the room before the join.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>Who told it.</summary>
    public ServerName By { get; init; }
}

/// <summary>
/// Makes a room of other servers ours: its events, its state and the memberships of other servers' users are stored before, in bulk, while nobody can see
/// them; one small change of the log then makes them count, whatever the size of the room. Under a lease, so that nobody else does it at the same time.
/// </summary>
sealed class RoomAdoption(
    NpgsqlDataSource db, EventBuilding building, RoomWriter writer, RoomStore rooms, MembershipStore memberships,
    RoomServers servers, RoomSummaryStore summaries, EventStore events)
{
    const int RowsAtOnce = 1000;

    ServerName OwnName => building.Server.ServerName;

    /// <exception cref="RoomException">The state is not one that lets the user in.</exception>
    public async Task<SentEvent> Adopt(JoinedRoom joined, CancellationToken ct)
    {
        var (room, join) = (joined.Room, joined.Join);
        var state = await CheckedState(joined, ct);
        var root = await StoreTree(state, ct);
        var head = await rooms.FindHead(room.RoomNid, ct);
        if (head is { StateRoot: var old } && old != StateTree.Empty)
            await ForgetAbsent(room, state, ct);
        await StoreMemberships(room, [.. state.Where(e => e.Event.IsMember && !IsLocal(e.Event.Key.StateKey))], ct);
        await servers.Recount(room.RoomNid, OwnName, ct);

        var cited = (await events.FindInRoom(room.RoomNid, [.. join.AuthEvents.Distinct().Where(id => joined.Events.Find(id) is not null)], ct))
            .Select(e => new CitedEvent(e.EventNid, e.Type, e.StateKey)).ToList();
        var received = new ReceivedPdu(await building.Nids.NextEvent(ct), join, new StateUpdate(root, []), cited, new HashSet<EventId>(), false, join.PrevEvents, null, null);
        return await writer.Write(room, async (chain, token) =>
        {
            if (!(await events.FindPlace(join.EventId, token)).IsPlaced)
                await chain.Adopt(received, after => Merge(chain.Head, after, received, state, room, token), token);
            return join.EventId;
        }, null, ct, alone: true);
    }

    /// <summary>The events of the state that count.</summary>
    async Task<List<Standing>> CheckedState(JoinedRoom joined, CancellationToken ct)
    {
        var state = new Dictionary<StateKeyPair, Standing>();
        foreach (var told in joined.Events.State)
        {
            if (joined.Events.Find(told.EventId) is (var nid, false))
                state[told.Key] = new Standing(nid, told);
        }
        var keys = AuthEvents.KeysFor(joined.Join).Append(new StateKeyPair(EventTypes.Create, "")).Distinct();
        var found = await building.StateEvents.Get([.. keys.Where(state.ContainsKey).Select(key => state[key].EventNid)], ct);
        var allowed = EventAuth.Check(joined.Join, new AuthState(found.Values), joined.Room.Rules);
        if (!allowed.Allowed)
            throw RoomException.Forbidden($"The state of the room does not let you in: {allowed.Reason}");
        return [.. state.Values];
    }

    /// <summary>An event that stands in the state.</summary>
    readonly record struct Standing(long EventNid, ToldEvent Event);

    async Task<StateNodeId> StoreTree(List<Standing> state, CancellationToken ct)
    {
        var update = await building.Tree.Set(StateTree.Empty,
            [.. state.Select(e => new StateAssignment(e.Event.Key, e.EventNid))], ct);
        foreach (var nodes in update.NewNodes.OrderBy(node => node.Id.Value).Chunk(RowsAtOnce))
        {
            await using var connection = await db.OpenConnectionAsync(ct);
            await using var batch = connection.CreateBatch();
            StateNodeRows.AddInsert(batch, nodes);
            await batch.ExecuteNonQueryAsync(ct);
        }
        return update.Root;
    }

    /// <summary>Of those who were in the room when this server left it, and are not any more, nothing may be left.</summary>
    async Task ForgetAbsent(Room room, List<Standing> state, CancellationToken ct)
    {
        var present = state.Where(e => e.Event.IsMember).Select(e => e.Event.Key.StateKey).ToArray();
        await db.Execute(
            """
            UPDATE memberships SET membership = 'leave', display_name = NULL, avatar_url = NULL
            WHERE room_nid = @nid AND membership <> 'leave' AND right(user_id, length(@suffix)) <> @suffix AND NOT user_id = ANY(@present)
            """, new { nid = room.RoomNid, suffix = $":{OwnName}", present }, ct);
    }

    async Task StoreMemberships(Room room, List<Standing> members, CancellationToken ct)
    {
        foreach (var some in members.OrderBy(m => m.Event.Key.StateKey, StringComparer.Ordinal).Chunk(RowsAtOnce))
        {
            await using var connection = await db.OpenConnectionAsync(ct);
            await using var batch = connection.CreateBatch();
            // by depth: the heroes of a room are those who came first
            batch.Add(
                """
                INSERT INTO memberships (room_nid, user_id, membership, event_nid, sender, position, display_name, avatar_url)
                SELECT $1, m.* FROM unnest($2, $3, $4, $5, $6, $7, $8) AS m (user_id, membership, event_nid, sender, position, display_name, avatar_url)
                ON CONFLICT (room_nid, user_id) DO UPDATE SET membership = EXCLUDED.membership, event_nid = EXCLUDED.event_nid, sender = EXCLUDED.sender,
                    position = EXCLUDED.position, display_name = EXCLUDED.display_name, avatar_url = EXCLUDED.avatar_url, forgotten = false
                """,
                room.RoomNid, some.Select(m => m.Event.Key.StateKey).ToArray(), some.Select(m => m.Event.Membership ?? "leave").ToArray(),
                some.Select(m => m.EventNid).ToArray(), some.Select(m => m.Event.Sender).ToArray(),
                some.Select(m => long.MinValue / 2 + Math.Min(m.Event.Depth, 1L << 53)).ToArray(), some.Select(m => m.Event.DisplayName).ToArray(),
                some.Select(m => m.Event.AvatarUrl).ToArray());
            await batch.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>What changes for this server's users and for the summary.</summary>
    async ValueTask<StateMerge> Merge(
        RoomHead head, StateNodeId after, ReceivedPdu join, List<Standing> state, Room room, CancellationToken ct)
    {
        var known = (await memberships.ListOf(room.RoomNid, OwnName, ct)).ToDictionary(row => row.UserId, row => row.EventNid);
        var locals = state.Where(e => e.Event.IsMember && IsLocal(e.Event.Key.StateKey)).Select(e => e.Event.Key.StateKey)
            .Concat(known.Keys).Append(join.Pdu.StateKey!).Distinct();
        List<StateKeyPair> keys = [.. locals.Select(user => new StateKeyPair(EventTypes.Member, user)), .. SummaryChanges.Kept];
        var (were, are) = (await building.Tree.Find(head.StateRoot, keys, ct), await building.Tree.Find(after, keys, ct));
        var differences = keys.Select((key, i) => new StateDifference(key, were[i], are[i]))
            // an invite that the user has been told of is no news
            .Where(d => d.Before != d.After && !(d.Key.Type == EventTypes.Member && d.After is { } now && known.GetValueOrDefault(d.Key.StateKey) == now)).ToList();
        var named = differences.SelectMany(d => new[] { d.Before, d.After }).OfType<long>().ToHashSet();
        var summary = await summaries.Find(room.RoomNid, ct);
        var members = state.Where(e => e.Event.IsMember && e.Event.Key.StateKey != join.Pdu.StateKey).ToList();
        var counts = (1 + members.Count(e => e.Event.Membership == "join") - (summary?.JoinedCount ?? 0),
            members.Count(e => e.Event.Membership == "invite") - (summary?.InvitedCount ?? 0));
        return new StateMerge(differences, await building.StateEvents.Get(named, ct), await building.Events.FindRedacted(named, ct), counts);
    }

    bool IsLocal(string userId) => UserId.TryParse(userId, out var user) && user.Server == OwnName;
}
