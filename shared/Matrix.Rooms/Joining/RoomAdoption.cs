using Matrix.Protocol;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Joining;

/// <summary>What another server told of a room that one of our users has joined there.</summary>
/// <param name="Events">The state before the join, stored, and the auth chains of it and of the join.</param>
sealed record JoinedRoom(Room Room, Pdu Join, ToldEvents Events)
{
    /// <summary>The members of other servers are not in the state.</summary>
    public bool MembersOmitted { get; init; }

    /// <summary>The state with the members, if these came after all.</summary>
    public ToldEvents? Members { get; init; }

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
    BulkState bulk, EventBuilding building, RoomWriter writer, RoomStore rooms, MembershipStore memberships, RoomServers servers, RoomSummaryStore summaries,
    EventStore events, TimelineGapStore gaps)
{
    ServerName OwnName => building.Server.ServerName;

    /// <param name="adoption">Of a room whose members are not known: who is asking for them.</param>
    /// <exception cref="RoomException">The state is not one that lets the user in.</exception>
    /// <returns>The join, and its number.</returns>
    public async Task<(SentEvent Sent, long JoinNid)> Adopt(JoinedRoom joined, Adoption adoption, CancellationToken ct)
    {
        var (room, join) = (joined.Room, joined.Join);
        var state = State(joined);
        var cited = await events.FindInRoom(room.RoomNid, [.. join.AuthEvents.Distinct().Where(id => joined.Events.Find(id) is not null)], ct);
        await Check(joined, state, cited, ct);
        var root = await bulk.StoreTree(StateTree.Empty, state.Values.Select(e => e.Assignment), ct);
        var members = state.Values.Where(e => e.Event.IsMember).ToList();
        var head = await rooms.FindHead(room.RoomNid, ct);
        if (!adoption.IsPartial && head is { StateRoot: var old } && old != StateTree.Empty)
            await bulk.ForgetAbsent(room, members.Select(m => m.Event.Key.StateKey), ct);
        await bulk.StoreMemberships(room, members, ct);
        if (adoption.IsPartial)
            await servers.Tell(room.RoomNid, Servers(joined), ct);
        else
            await servers.Recount(room.RoomNid, OwnName, ct);

        List<CitedEvent> places = [.. cited.Select(e => new CitedEvent(e.EventNid, e.Type, e.StateKey))];
        var here = await events.ListPlaced(room.RoomNid, [.. join.PrevEvents], ct);
        List<EventId> missing = [.. join.PrevEvents.Where(prev => !here.Contains(prev))];
        var received = new ReceivedPdu(await building.Nids.NextEvent(ct), join, new StateUpdate(root, []), places, new HashSet<EventId>(), false, missing, null, null)
        {
            Skips = missing.Count > 0 ? await gaps.CountPlaces(room.RoomNid, join.Depth, missing, ct) : 0,
        };
        var sent = await writer.Write(room, async (chain, token) =>
        {
            if (!(await events.FindPlace(join.EventId, token)).IsPlaced)
                await chain.Adopt(received, after => Merge(chain.Head, after, received, members, room, adoption, token), adoption, token);
            return join.EventId;
        }, null, ct, alone: true, InPartialRoom.IsDone);
        return (sent, received.EventNid);
    }

    /// <summary>The events of the state that count. Where the members came apart, what came with the join is true.</summary>
    static Dictionary<StateKeyPair, Standing> State(JoinedRoom joined)
    {
        var state = new Dictionary<StateKeyPair, Standing>();
        foreach (var told in joined.Events.State)
        {
            if (joined.Events.Find(told.EventId) is (var nid, false))
                state[told.Key] = new Standing(nid, told);
        }
        foreach (var told in joined.Members?.State ?? [])
        {
            if (told.IsMember && joined.Members!.Find(told.EventId) is (var nid, false))
                state.TryAdd(told.Key, new Standing(nid, told));
        }
        return state;
    }

    /// <summary>Does the state let the user in? What the join cites of members stands for those that are left out.</summary>
    async Task Check(JoinedRoom joined, Dictionary<StateKeyPair, Standing> state, IReadOnlyList<StoredEvent> cited, CancellationToken ct)
    {
        var keys = AuthEvents.KeysFor(joined.Join).Append(new StateKeyPair(EventTypes.Create, "")).Distinct().ToList();
        var found = await building.StateEvents.Get([.. keys.Where(state.ContainsKey).Select(key => state[key].EventNid)], ct);
        var vouched = joined.MembersOmitted
            ? cited.Where(e => e is { Type: EventTypes.Member, StateKey: { } key, Rejected: null } && !state.ContainsKey(new StateKeyPair(e.Type, key)))
            : [];
        var allowed = EventAuth.Check(
            joined.Join, new AuthState(found.Values.Concat(vouched.Select(e => Pdu.FromStored(e.EventId, e.Json, e.Rules)))), joined.Room.Rules);
        if (!allowed.Allowed)
            throw RoomException.Forbidden($"The state of the room does not let you in: {allowed.Reason}");
    }

    /// <summary>As the server that answers says, itself among them.</summary>
    HashSet<string> Servers(JoinedRoom joined) =>
        [.. joined.Servers.Where(server => ServerName.TryParse(server, out var name) && name != OwnName), joined.By.ToString()];

    /// <summary>What changes for this server's users and for the summary.</summary>
    async ValueTask<StateMerge> Merge(
        RoomHead head, StateNodeId after, ReceivedPdu join, List<Standing> state, Room room, Adoption adoption, CancellationToken ct)
    {
        var known = (await memberships.ListOf(room.RoomNid, OwnName, ct)).ToDictionary(row => row.UserId, row => row.EventNid);
        // of others of this server nothing is known before the members are
        var locals = adoption.IsPartial ? [join.Pdu.StateKey!]
            : state.Where(bulk.IsLocal).Select(e => e.Event.Key.StateKey).Concat(known.Keys).Append(join.Pdu.StateKey!).Distinct();
        List<StateKeyPair> keys = [.. locals.Select(user => new StateKeyPair(EventTypes.Member, user)), .. SummaryChanges.Kept];
        var (were, are) = (await building.Tree.Find(head.StateRoot, keys, ct), await building.Tree.Find(after, keys, ct));
        var differences = keys.Select((key, i) => new StateDifference(key, were[i], are[i]))
            // an invite that the user has been told of is no news
            .Where(d => d.Before != d.After && !(d.Key.Type == EventTypes.Member && d.After is { } now && known.GetValueOrDefault(d.Key.StateKey) == now)).ToList();
        var named = differences.SelectMany(d => new[] { d.Before, d.After }).OfType<long>().ToHashSet();
        var summary = await summaries.Find(room.RoomNid, ct);
        var members = state.Where(e => e.Event.Key.StateKey != join.Pdu.StateKey).ToList();
        var counts = (1 + members.Count(e => e.Event.Membership == "join") - (summary?.JoinedCount ?? 0),
            members.Count(e => e.Event.Membership == "invite") - (summary?.InvitedCount ?? 0));
        return new StateMerge(differences, await building.StateEvents.Get(named, ct), await building.Events.FindRedacted(named, ct), counts);
    }
}
