using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Resolution;

/// <summary>What one resolution asks about a room, answered from the store: the state trees for what states agree on, the index for auth chains.</summary>
/// <param name="root">One of the states.</param>
/// <param name="differing">The places where the states are not all the same.</param>
sealed class StoredResolutionSource(
    long roomNid, StateNodeId root, IReadOnlySet<StateKeyPair> differing, StateTree tree, EventStore events, AuthIndex index, AuthIndexStore indexStore)
    : IStateResolutionSource
{
    const int LinksAtOnce = 100;

    readonly Dictionary<EventId, StoredPdu> known = [];
    readonly Dictionary<long, EventId> ids = [];

    /// <summary>The number of an event that was loaded.</summary>
    public long NidOf(EventId id) => known[id].EventNid;

    /// <summary>Events that are not stored yet, and not rejected.</summary>
    public void Add(IReadOnlyDictionary<long, Pdu> pending)
    {
        foreach (var (nid, pdu) in pending)
        {
            known[pdu.EventId] = new StoredPdu(nid, new ResolutionEvent(pdu, false));
            ids[nid] = pdu.EventId;
        }
    }

    /// <summary>The ids of these events.</summary>
    public async ValueTask<IReadOnlyDictionary<long, EventId>> Load(IReadOnlyCollection<long> eventNids, CancellationToken ct)
    {
        var missing = eventNids.Where(nid => !ids.ContainsKey(nid)).ToList();
        if (missing.Count > 0)
            Add((await events.Get(missing, ct)).Values);
        return ids;
    }

    public async ValueTask<IReadOnlyCollection<ResolutionEvent>> LoadEvents(IReadOnlyCollection<EventId> wanted, CancellationToken ct)
    {
        var missing = wanted.Where(id => !known.ContainsKey(id)).ToList();
        if (missing.Count > 0)
        {
            var found = await events.FindInRoom(roomNid, missing, ct);
            Add(found);
            await LoadEarlierPowerLevels([.. found.Where(e => e.Type == EventTypes.PowerLevels).Select(e => e.EventNid)], ct);
        }
        return [.. wanted.Where(known.ContainsKey).Select(id => known[id].Event)];
    }

    public async ValueTask<IReadOnlyDictionary<StateKeyPair, EventId>> FindUnconflicted(IReadOnlyCollection<StateKeyPair> keys, CancellationToken ct)
    {
        var agreed = keys.Where(key => !differing.Contains(key)).ToList();
        var nids = await tree.Find(root, agreed, ct);
        var byNid = await Load([.. nids.OfType<long>()], ct);
        var found = new Dictionary<StateKeyPair, EventId>();
        foreach (var (key, nid) in agreed.Zip(nids))
        {
            if (nid is { } n)
                found[key] = byNid[n];
        }
        return found;
    }

    public async ValueTask<IReadOnlyCollection<EventId>> FindAuthDifference(
        IReadOnlyList<IReadOnlyCollection<EventId>> states, CancellationToken ct)
    {
        var nodes = new List<IReadOnlyCollection<AuthNode>>(states.Count);
        foreach (var state in states)
            nodes.Add(await NodesOf(state, ct));
        var difference = new AuthDifference(index, indexStore, keys => FindCommon(keys, ct), nids => KeysOf(nids, ct));
        return await IdsOf(await difference.Find(nodes, ct), ct);
    }

    public async ValueTask<IReadOnlyCollection<EventId>> FindSubgraph(IReadOnlyCollection<EventId> conflicted, CancellationToken ct) =>
        await IdsOf(await new ConflictedSubgraph(index, indexStore).Find(await NodesOf(conflicted, ct), ct), ct);

    async ValueTask<IReadOnlyCollection<long>> FindCommon(IReadOnlyCollection<StateKeyPair> keys, CancellationToken ct) =>
        [.. (await tree.Find(root, [.. keys.Where(key => !differing.Contains(key))], ct)).OfType<long>()];

    async ValueTask<IReadOnlyCollection<StateKeyPair>> KeysOf(IReadOnlyCollection<long> nids, CancellationToken ct)
    {
        var byNid = await Load(nids, ct);
        return [.. nids.Select(nid => known[byNid[nid]].Event.Pdu).Select(pdu => new StateKeyPair(pdu.Type, pdu.StateKey!))];
    }

    /// <summary>The mainline is walked link by link, mostly a few: with each link that is not known yet come as many of its chain.</summary>
    async ValueTask LoadEarlierPowerLevels(IReadOnlyCollection<long> powerLevels, CancellationToken ct)
    {
        if (powerLevels.Count == 0)
            return;
        var ranges = (await index.Find(powerLevels, ct)).Values.Where(node => node.Place.Sequence > 1)
            .Select(node => (node.Place.Chain, Math.Max(0, node.Place.Sequence - 1 - LinksAtOnce), node.Place.Sequence - 1)).ToList();
        if (ranges.Count > 0)
            await Load([.. await indexStore.ListRanges(ranges, ct)], ct);
    }

    async ValueTask<IReadOnlyCollection<AuthNode>> NodesOf(IReadOnlyCollection<EventId> wanted, CancellationToken ct)
    {
        await LoadEvents(wanted, ct);
        var nodes = await index.Find([.. wanted.Select(NidOf)], ct);
        return nodes.Count == wanted.Count
            ? [.. nodes.Values]
            : throw new InvalidDataException($"Of {wanted.Count} state events of room {roomNid}, {wanted.Count - nodes.Count} are not in the auth index.");
    }

    async ValueTask<IReadOnlyCollection<EventId>> IdsOf(IReadOnlyCollection<long> nids, CancellationToken ct)
    {
        var byNid = await Load(nids, ct);
        return [.. nids.Select(nid => byNid[nid])];
    }

    void Add(IEnumerable<StoredEvent> stored)
    {
        foreach (var e in stored)
        {
            known[e.EventId] = new StoredPdu(e.EventNid, new ResolutionEvent(Pdu.FromStored(e.EventId, e.Json, e.Rules), e.Rejected is not null));
            ids[e.EventNid] = e.EventId;
        }
    }

    readonly record struct StoredPdu(long EventNid, ResolutionEvent Event);
}
