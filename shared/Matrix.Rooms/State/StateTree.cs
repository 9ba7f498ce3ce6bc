using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>
/// The states of rooms: persistent trees over (type, state key) → event_nid, whose nodes are immutable, named by their content and shared.
/// Every operation reads the nodes that the cache lacks level by level, one round trip for each level.
/// </summary>
public sealed class StateTree(StateNodeStore store, StateNodeCache cache)
{
    /// <summary>The root of the state in which there is nothing.</summary>
    public static StateNodeId Empty => StateNode.Empty.Id;

    /// <summary>The event at the key, or null.</summary>
    public async ValueTask<long?> Find(StateNodeId root, StateKeyPair key, CancellationToken ct) => (await Find(root, [key], ct))[0];

    /// <summary>The events at the keys, in the same order; null where there is nothing.</summary>
    public ValueTask<long?[]> Find(StateNodeId root, IReadOnlyList<StateKeyPair> keys, CancellationToken ct) =>
        Find([.. keys.Select(key => (root, key))], ct);

    /// <summary>The events at keys of several states, in the same order; null where there is nothing. As many round trips as for one state.</summary>
    public async ValueTask<long?[]> Find(IReadOnlyList<(StateNodeId Root, StateKeyPair Key)> places, CancellationToken ct)
    {
        var found = new long?[places.Count];
        var frontier = places.Select((place, i) => (Index: i, Key: StateTreeKey.Encode(place.Key), Node: place.Root)).ToList();
        for (var depth = 0; frontier.Count > 0; depth++)
        {
            var nodes = await Load(frontier.Select(f => f.Node), ct);
            var next = new List<(int, StateTreeKey, StateNodeId)>(frontier.Count);
            foreach (var (index, key, id) in frontier)
            {
                var node = nodes[id];
                if (node.IsLeaf)
                    found[index] = node.FindInLeaf(key.Bytes.Span);
                else if (node.Child(StateTreeKey.Slot(key.Hash, depth)) is { } child)
                    next.Add((index, key, child));
            }
            frontier = next;
        }
        return found;
    }

    /// <summary>
    /// The state that differs from the given one in these keys. The new nodes are in the cache at once, and must be stored with whatever refers to the
    /// new root, even if they have been made before: an earlier try may have failed.
    /// </summary>
    public async ValueTask<StateUpdate> Set(StateNodeId root, IReadOnlyList<StateAssignment> assignments, CancellationToken ct)
    {
        var nodes = new StateNodeSet(cache.Find);
        while (true)
        {
            if (StateTreeUpdate.Apply(nodes, root, assignments) is { } update)
            {
                foreach (var node in update.NewNodes)
                    cache.Add(node);
                return update;
            }
            foreach (var node in (await Load([.. nodes.Missing], ct)).Values)
                nodes.Add(node);
        }
    }

    /// <summary>The whole state, in no particular order.</summary>
    public async Task<List<StateEntry>> ReadAll(StateNodeId root, CancellationToken ct) => (await ReadAll([root], ct))[0];

    /// <summary>Several whole states, in the same order, in as many round trips as the biggest one takes.</summary>
    public async Task<IReadOnlyList<List<StateEntry>>> ReadAll(IReadOnlyList<StateNodeId> roots, CancellationToken ct)
    {
        var states = roots.Select(_ => new List<StateEntry>()).ToList();
        for (var level = roots.Select((root, i) => (State: i, Node: root)).ToList(); level.Count > 0;)
        {
            var nodes = await Load(level.Select(l => l.Node), ct);
            var next = new List<(int, StateNodeId)>();
            foreach (var (state, id) in level)
            {
                var node = nodes[id];
                if (node.IsLeaf)
                    states[state].AddRange(node.Entries().Select(e => new StateEntry(StateTreeKey.Decode(e.Key.Span), e.EventNid)));
                else
                    next.AddRange(Enumerable.Range(0, StateTreeKey.Slots).Select(node.Child).OfType<StateNodeId>().Select(child => (state, child)));
            }
            level = next;
        }
        return states;
    }

    /// <summary>What differs between two states, at the cost of what differs.</summary>
    public async Task<List<StateDifference>> Diff(StateNodeId before, StateNodeId after, CancellationToken ct)
    {
        var diff = new StateTreeDiff(before, after);
        while (!diff.Done)
        {
            var nodes = await Load(diff.Wanted, ct);
            diff.Descend(id => nodes[id]);
        }
        return diff.Differences;
    }

    async ValueTask<Dictionary<StateNodeId, StateNode>> Load(IEnumerable<StateNodeId> ids, CancellationToken ct)
    {
        var nodes = new Dictionary<StateNodeId, StateNode>();
        List<StateNodeId>? missing = null;
        foreach (var id in ids)
        {
            if (nodes.ContainsKey(id))
                continue;
            if (id == Empty)
                nodes[id] = StateNode.Empty;
            else if (cache.Find(id) is { } node)
                nodes[id] = node;
            else
                (missing ??= []).Add(id);
        }
        if (missing is null)
            return nodes;
        foreach (var (id, data) in await store.List(missing, ct))
        {
            var node = nodes[id] = StateNode.FromStored(id, data);
            cache.Add(node);
        }
        return missing.Find(id => !nodes.ContainsKey(id)) is var lost && lost != default
            ? throw new InvalidDataException($"The state node {lost} is not in the database.")
            : nodes;
    }
}
