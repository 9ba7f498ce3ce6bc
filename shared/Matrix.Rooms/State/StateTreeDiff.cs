using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>
/// Compares two states from the roots down, level by level, leaving out every pair of branches that has the same id. Pure; before each level the
/// caller provides the nodes in <see cref="Wanted"/>.
/// </summary>
sealed class StateTreeDiff
{
    readonly List<StateDifference> differences = [];
    List<Pair> frontier;
    int depth;

    public StateTreeDiff(StateNodeId before, StateNodeId after) =>
        frontier = before == after ? [] : [new Pair(new Side(before), new Side(after))];

    public List<StateDifference> Differences => differences;

    public bool Done => frontier.Count == 0;

    /// <summary>The nodes that the next <see cref="Descend"/> needs.</summary>
    public IEnumerable<StateNodeId> Wanted =>
        frontier.SelectMany(p => new[] { p.Before.NodeId, p.After.NodeId }).OfType<StateNodeId>();

    public void Descend(Func<StateNodeId, StateNode> node)
    {
        var next = new List<Pair>();
        foreach (var pair in frontier)
        {
            var before = pair.Before.NodeId is { } b ? node(b) : null;
            var after = pair.After.NodeId is { } a ? node(a) : null;
            if (before is { IsLeaf: false } || after is { IsLeaf: false })
                Split(Slots(before, pair.Before), Slots(after, pair.After), next);
            else
                Compare(before?.Entries() ?? pair.Before.Entries, after?.Entries() ?? pair.After.Entries);
        }
        frontier = next;
        depth++;
    }

    static void Split(Side[] before, Side[] after, List<Pair> next)
    {
        for (var slot = 0; slot < before.Length; slot++)
        {
            var same = before[slot].NodeId == after[slot].NodeId && before[slot].Entries.Count + after[slot].Entries.Count == 0;
            if (!same)
                next.Add(new Pair(before[slot], after[slot]));
        }
    }

    Side[] Slots(StateNode? node, Side side)
    {
        var slots = new Side[StateTreeKey.Slots];
        if (node is { IsLeaf: false })
        {
            for (var slot = 0; slot < slots.Length; slot++)
                slots[slot] = new Side(node.Child(slot));
            return slots;
        }
        var entries = (node?.Entries() ?? side.Entries).ToLookup(e => StateTreeKey.Slot(e.Hash, depth));
        for (var slot = 0; slot < slots.Length; slot++)
            slots[slot] = new Side(null, [.. entries[slot]]);
        return slots;
    }

    void Compare(IReadOnlyList<LeafEntry> before, IReadOnlyList<LeafEntry> after)
    {
        int b = 0, a = 0;
        while (b < before.Count || a < after.Count)
        {
            var order = b == before.Count ? 1 : a == after.Count ? -1 : KeyOrder.Instance.Compare(before[b].Key, after[a].Key);
            var key = order <= 0 ? before[b].Key : after[a].Key;
            long? was = order <= 0 ? before[b++].EventNid : null;
            long? isNow = order >= 0 ? after[a++].EventNid : null;
            if (was != isNow)
                differences.Add(new StateDifference(StateTreeKey.Decode(key.Span), was, isNow));
        }
    }

    readonly record struct Pair(Side Before, Side After);

    /// <summary>One state's part of a pair: a node still to be read, or the entries of a leaf that ended higher up.</summary>
    readonly struct Side(StateNodeId? nodeId, IReadOnlyList<LeafEntry>? entries = null)
    {
        public StateNodeId? NodeId { get; } = nodeId;

        public IReadOnlyList<LeafEntry> Entries { get; } = entries ?? [];
    }
}
