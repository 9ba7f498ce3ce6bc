using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.Policy;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Writing;

/// <summary>What building an event needs.</summary>
sealed record EventBuilding(
    ServerSigningKey Server, StateTree Tree, StateEvents StateEvents, EventStates EventStates, StateResolver Resolver, AuthIndex AuthIndex,
    EventStore Events, NidAllocator Nids, PolicyServers Policies, TimeProvider Time);

/// <summary>
/// New events upon a room's head. Those of this server are built one on the other, each authorised in the state that the ones before it leave behind;
/// those of other servers build on what they name. Nothing is written: the chain becomes one <see cref="EventsChange"/>.
/// </summary>
public sealed class EventChain
{
    readonly EventBuilding building;
    readonly RoomHead head;
    readonly List<ChainedEvent> events = [];
    readonly List<EventReference> extremities;
    readonly Dictionary<StateNodeId, StateNode> newNodes = [];
    long depth;

    /// <summary>The room's members are not known yet.</summary>
    internal bool IsPartial { get; private set; }

    internal EventChain(EventBuilding building, Room room, RoomHead head)
    {
        this.building = building;
        this.head = head;
        Room = room;
        StateRoot = head.StateRoot;
        extremities = [.. head.Extremities];
        depth = head.Depth;
        IsPartial = head.IsPartial;
    }

    /// <summary>The room. While a version 12 room is being created it has no id before its create event.</summary>
    public Room Room { get; private set; }

    /// <summary>The room's current state, as the events of the chain leave it.</summary>
    public StateNodeId StateRoot { get; private set; }

    internal IReadOnlyList<ChainedEvent> Events => events;

    internal bool IsLocal(UserId user) => user.Server == building.Server.ServerName;

    internal RoomHead Head => head;

    /// <summary>The room begins anew with a join; null: it does not.</summary>
    internal Adoption? Adoption { get; private set; }

    /// <summary>Where the room ends, as the events of the chain leave it.</summary>
    internal IReadOnlyList<EventReference> Ends => extremities;

    internal IReadOnlyCollection<StateNode> NewNodes => newNodes.Values;

    /// <summary>Another event turned out to have a place in the auth index that one of these took.</summary>
    internal void Contested() => building.AuthIndex.Contested(events.Select(e => e.Placement).OfType<AuthPlacement>());

    /// <summary>The head once the chain is committed.</summary>
    internal RoomHead NextHead() => new(head.Version + 1, [.. extremities], StateRoot, depth, head.Position) { IsPartial = IsPartial };

    /// <summary>The state event that stands at this place now, or null.</summary>
    public ValueTask<Pdu?> Find(string type, string stateKey, CancellationToken ct) => building.StateEvents.Find(StateRoot, type, stateKey, ct);

    /// <summary>The state events that stand at these places now, in the same order.</summary>
    public ValueTask<Pdu?[]> Find(IReadOnlyList<StateKeyPair> keys, CancellationToken ct) => building.StateEvents.Find(StateRoot, keys, ct);

    /// <summary>A user's membership now; <c>leave</c> if there never was one.</summary>
    public async ValueTask<string> Membership(UserId user, CancellationToken ct) =>
        (await Find(EventTypes.Member, user.ToString(), ct))?.Membership ?? "leave";

    public async ValueTask<PowerLevels> PowerLevels(CancellationToken ct)
    {
        var state = await Find([new(EventTypes.PowerLevels, ""), new(EventTypes.Create, "")], ct);
        return Protocol.PowerLevels.Read(state[0], state[1]);
    }

    /// <summary>The state event that already says what the draft wants to say: same place, sender and content; or null.</summary>
    public async ValueTask<Pdu?> FindSame(EventDraft draft, CancellationToken ct)
    {
        if (draft.StateKey is null || await Find(draft.Type, draft.StateKey, ct) is not { } current || current.Sender != draft.Sender)
            return null;
        var content = CanonicalJson.Canonicalize(draft.Content.Span, Room.Rules.Json);
        return current.ContentJson.Span.SequenceEqual(content) ? current : null;
    }

    /// <summary>Builds, signs and authorises the event, and has it signed by the room's policy server.</summary>
    /// <param name="redacted">Of a redaction: what it redacts.</param>
    /// <exception cref="RoomException">403: the room's auth rules do not allow it; or its policy server does not.</exception>
    public async ValueTask<Pdu> Add(EventDraft draft, CancellationToken ct, StoredEvent? redacted = null)
    {
        var (pdu, before, authority) = await BuildAuthorised(draft, ct);
        pdu = await WithPolicy(pdu, authority, ct);
        if (events.Count == 0 && head.Version == 0)
            Room = Room with { RoomId = pdu.RoomId };
        var place = new Arrival(await building.Nids.NextEvent(ct), pdu, before,
            [.. authority.Cited.Select(e => new CitedEvent(e.EventNid, e.Pdu.Type, e.Pdu.StateKey))], pdu.PrevEvents, redacted);
        await Append(place, null, ct);
        return pdu;
    }

    /// <summary>The event as it could be added now, signed by this server, whoever its sender is.</summary>
    /// <exception cref="RoomException">403: the room's auth rules do not allow it.</exception>
    internal async ValueTask<Pdu> Build(EventDraft draft, CancellationToken ct) => (await BuildAuthorised(draft, ct)).Pdu;

    /// <summary>Like <see cref="Build(EventDraft, CancellationToken)"/>, signed by the room's policy server too: it goes to others before it is added.</summary>
    /// <exception cref="RoomException">The room's auth rules, or its policy server, do not allow it.</exception>
    internal async ValueTask<Pdu> BuildToShow(EventDraft draft, CancellationToken ct)
    {
        var (pdu, _, authority) = await BuildAuthorised(draft, ct);
        return await WithPolicy(pdu, authority, ct);
    }

    // Its seat is kept meanwhile: an event that is built on another head needs another signature. The policy server has ten seconds.
    async ValueTask<Pdu> WithPolicy(Pdu pdu, EventAuthority authority, CancellationToken ct) =>
        await building.Policies.Find(Room.RoomNid, authority.Policy, pdu.Type, pdu.StateKey, ct) is { } policy ? await building.Policies.Sign(policy, pdu, ct) : pdu;

    /// <summary>The policy server that has a say about another server's event, by the room's current state; null: none.</summary>
    internal async ValueTask<RoomPolicy?> Policy(Pdu pdu, CancellationToken ct) => RoomPolicy.Concerns(pdu.Type, pdu.StateKey)
        ? await building.Policies.Find(Room.RoomNid, await Find(EventTypes.Policy, "", ct), pdu.Type, pdu.StateKey, ct) : null;

    async ValueTask<(Pdu Pdu, StateNodeId Before, EventAuthority Authority)> BuildAuthorised(EventDraft draft, CancellationToken ct)
    {
        var (prev, before) = await ChoosePrev(ct);
        var authority = await EventAuthority.Load(building.StateEvents, before, draft, Room.Rules, ct);
        var pdu = Build(draft, prev, authority.Cited);
        var result = EventAuth.Check(pdu, authority.State, Room.Rules);
        return result.Allowed ? (pdu, before, authority) : throw RoomException.Forbidden(result.Reason ?? "The room does not allow this.");
    }

    /// <summary>
    /// Begins the room anew with this event and the state before it, which another server has told: what was known of the room is its past.
    /// </summary>
    /// <param name="merge">What that changes, as far as tables are to follow it; what they have of users of other servers is there already.</param>
    /// <param name="adoption">Are the room's members known?</param>
    internal async ValueTask Adopt(ReceivedPdu join, Func<StateNodeId, ValueTask<StateMerge>> merge, Adoption adoption, CancellationToken ct)
    {
        var (nid, pdu) = (join.EventNid, join.Pdu);
        (Adoption, IsPartial) = (adoption, adoption.IsPartial);
        building.StateEvents.Add(nid, pdu);
        var after = Keep(await building.Tree.Set(join.Before.Root, [new StateAssignment(new StateKeyPair(pdu.Type, pdu.StateKey!), nid)], ct));
        var placement = await building.AuthIndex.Place(nid, pdu.Type, pdu.StateKey!, join.Cited, ct);
        Remember(nid, after);
        extremities.Clear();
        extremities.Add(new EventReference(nid, pdu.EventId));
        depth = Math.Max(depth, pdu.Depth);
        StateRoot = after;
        events.Add(new ChainedEvent(nid, pdu, join.Before.Root, after) { Placement = placement, Merge = await merge(after), Received = join });
    }

    /// <summary>Takes an event of another server, which is authorised.</summary>
    /// <param name="isLast">Does no accepted event build on it yet?</param>
    internal ValueTask Take(ReceivedPdu received, bool isLast, CancellationToken ct)
    {
        Keep(received.Before);
        return Append(
            new Arrival(received.EventNid, received.Pdu, received.Before.Root, received.Cited, received.Follows, received.Redacted, isLast), received, ct);
    }

    Pdu Build(EventDraft draft, IReadOnlyList<EventReference> prev, IReadOnlyList<NumberedPdu> cited) => new PduBuilder
    {
        Type = draft.Type,
        StateKey = draft.StateKey,
        Sender = draft.Sender,
        RoomId = events.Count == 0 && head.Version == 0 && Room.Rules.RoomIdIsCreateHash ? null : Room.RoomId,
        Content = draft.Content,
        PrevEvents = [.. prev.Select(e => e.EventId)],
        AuthEvents = [.. cited.Select(e => e.Pdu.EventId)],
        Depth = Math.Min(depth, Room.Rules.MaxDepth - 1) + 1,
        OriginServerTs = building.Time.GetUtcNow().ToUnixTimeMilliseconds(),
        Redacts = draft.Redacts,
    }.Build(Room.Rules, building.Server.ServerName, building.Server.Key);

    /// <summary>All ends of the room, or as many as an event may build on: each event then leaves fewer of them. And the state there.</summary>
    async ValueTask<(IReadOnlyList<EventReference> Prev, StateNodeId Before)> ChoosePrev(CancellationToken ct)
    {
        if (extremities.Count <= MaxPrevEvents)
            return ([.. extremities], StateRoot);
        var newest = extremities[^MaxPrevEvents..];
        return (newest, await Merge(newest, ct));
    }

    async ValueTask Append(Arrival e, ReceivedPdu? received, CancellationToken ct)
    {
        var (nid, pdu, before, current) = (e.EventNid, e.Pdu, e.Before, StateRoot);
        var after = before;
        AuthPlacement? placement = null;
        Pdu? replaced = null;
        if (pdu.StateKey is { } stateKey)
        {
            replaced = await Find(pdu.Type, stateKey, ct);
            building.StateEvents.Add(nid, pdu);
            after = Keep(await building.Tree.Set(before, [new StateAssignment(new StateKeyPair(pdu.Type, stateKey), nid)], ct));
            if (received is not { WasOutlier: true })
                placement = await building.AuthIndex.Place(nid, pdu.Type, stateKey, e.Cited, ct);
        }
        Remember(nid, after);
        extremities.RemoveAll(end => e.Follows.Contains(end.EventId));
        var isEnd = e.IsLast && (received is null || extremities.Count < MaxEnds);
        if (isEnd)
            extremities.Add(new EventReference(nid, pdu.EventId));
        depth = Math.Max(depth, pdu.Depth);
        StateRoot = isEnd && extremities.Count == 1 ? after : await Merge(extremities, ct, pdu.IsState ? new Dictionary<long, Pdu> { [nid] = pdu } : null);
        var merge = before == current && StateRoot == after ? null : await FindMerge(pdu, current, ct);
        StateKeyPair? blanks = e.Redacted is { StateKey: { } key } target && (await Find(target.Type, key, ct))?.EventId == target.EventId
            ? new StateKeyPair(target.Type, key) : null;
        events.Add(new ChainedEvent(nid, pdu, before, StateRoot, replaced, blanks, e.Redacted?.EventId)
        {
            Placement = placement, Merge = merge, Received = received, Related = RelationChanges.Aggregates(pdu, e.Redacted),
        });
    }

    async ValueTask<StateNodeId> Merge(IReadOnlyList<EventReference> ends, CancellationToken ct, IReadOnlyDictionary<long, Pdu>? pending = null)
    {
        var states = await building.EventStates.After([.. ends.Select(end => end.EventNid)], ct);
        return Keep(await building.Resolver.Resolve(Room, states.Values, pending ?? StateResolver.NothingPending, ct));
    }

    /// <summary>What the event changed, if that is not just what it says; null: it changed nothing.</summary>
    async ValueTask<StateMerge?> FindMerge(Pdu pdu, StateNodeId before, CancellationToken ct)
    {
        if (!pdu.IsState && StateRoot == before)
            return null;
        var differences = await building.Tree.Diff(before, StateRoot, ct);
        var kept = differences.Where(d => d.Key.Type == EventTypes.Member || SummaryChanges.Keeps(d.Key))
            .SelectMany(d => new[] { d.Before, d.After }).OfType<long>().ToHashSet();
        var pdus = await building.StateEvents.Get(kept, ct);
        return new StateMerge(differences, pdus, await building.Events.FindRedacted(kept, ct));
    }

    /// <summary>The state after an event of a partial room is another one when the room is whole.</summary>
    void Remember(long nid, StateNodeId after)
    {
        if (!IsPartial)
            building.EventStates.Add(nid, after);
    }

    StateNodeId Keep(StateUpdate update)
    {
        foreach (var node in update.NewNodes)
            newNodes[node.Id] = node;
        return update.Root;
    }

    /// <summary>What servers accept at most (Server-Server API, PDUs).</summary>
    const int MaxPrevEvents = 20;

    /// <summary>
    /// Ends that events of other servers may make of a room. Whoever sends many events on one could otherwise make every later event resolve the states of all of
    /// them. What comes while there are so many is part of the room, but no end of it: its state counts when somebody builds on it.
    /// </summary>
    const int MaxEnds = 50;

    /// <param name="Follows">The events that are ends of the room no longer.</param>
    /// <param name="IsLast">Is it an end itself?</param>
    readonly record struct Arrival(
        long EventNid, Pdu Pdu, StateNodeId Before, IReadOnlyCollection<CitedEvent> Cited, IReadOnlyCollection<EventId> Follows, StoredEvent? Redacted,
        bool IsLast = true);
}
