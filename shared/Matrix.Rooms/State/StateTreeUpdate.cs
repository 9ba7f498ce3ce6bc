using System.Runtime.InteropServices;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>Makes a state from another one by setting keys. Pure.</summary>
sealed class StateTreeUpdate
{
    readonly StateNodeSet nodes;
    readonly Dictionary<StateNodeId, StateNode> created = [];
    bool incomplete;

    StateTreeUpdate(StateNodeSet nodes) => this.nodes = nodes;

    /// <summary>The new root and the nodes made on the way, or null: load <see cref="StateNodeSet.Missing"/> and try again.</summary>
    public static StateUpdate? Apply(StateNodeSet nodes, StateNodeId root, IReadOnlyList<StateAssignment> assignments)
    {
        var update = new StateTreeUpdate(nodes);
        var changes = assignments.Select(a => new Change(StateTreeKey.Encode(a.Key), a.EventNid)).ToArray();
        var after = update.Set(update.Find(root), 0, changes);
        return update.incomplete ? null : new StateUpdate(after.Id, update.Reachable(after, root));
    }

    StateNode Set(StateNode node, int depth, ReadOnlySpan<Change> changes) =>
        node.IsLeaf ? SetInLeaf(node, depth, changes) : SetInBranch(node, depth, changes);

    StateNode SetInLeaf(StateNode leaf, int depth, ReadOnlySpan<Change> changes)
    {
        var entries = new SortedDictionary<ReadOnlyMemory<byte>, long>(KeyOrder.Instance);
        foreach (var entry in leaf.Entries())
            entries[entry.Key] = entry.EventNid;
        foreach (var change in changes)
        {
            if (change.EventNid is { } eventNid)
                entries[change.Key.Bytes] = eventNid;
            else
                entries.Remove(change.Key.Bytes);
        }
        return Build([.. entries.Select(e => new LeafEntry(e.Key, e.Value))], depth);
    }

    StateNode SetInBranch(StateNode branch, int depth, ReadOnlySpan<Change> changes)
    {
        var children = new StateNodeId?[StateTreeKey.Slots];
        var removes = false;
        for (var slot = 0; slot < children.Length; slot++)
        {
            children[slot] = branch.Child(slot);
            var mine = InSlot(changes, slot, depth);
            if (mine.Length == 0)
                continue;
            foreach (var change in mine)
                removes |= change.EventNid is null;
            var after = Set(Find(children[slot]), depth + 1, mine);
            children[slot] = after == StateNode.Empty ? null : Keep(after);
        }
        return removes && LightEntries(children) is { } entries ? Build(entries, depth) : StateNode.Branch(children);
    }

    /// <summary>After a removal: all entries below, if they have become light enough to be one leaf.</summary>
    List<LeafEntry>? LightEntries(StateNodeId?[] children)
    {
        var entries = new List<LeafEntry>();
        foreach (var child in children)
        {
            var node = Find(child);
            if (!node.IsLeaf)
                return null;
            entries.AddRange(node.Entries());
        }
        entries.Sort((a, b) => KeyOrder.Instance.Compare(a.Key, b.Key));
        return entries.Sum(StateNode.Weight) <= StateNode.MaxLeafWeight ? entries : null;
    }

    StateNode Build(List<LeafEntry> entries, int depth)
    {
        if (depth == StateTreeKey.MaxDepth || entries.Sum(StateNode.Weight) <= StateNode.MaxLeafWeight)
            return StateNode.Leaf(entries);
        var children = new StateNodeId?[StateTreeKey.Slots];
        foreach (var slot in entries.GroupBy(e => StateTreeKey.Slot(e.Hash, depth)))
            children[slot.Key] = Keep(Build([.. slot], depth + 1));
        return StateNode.Branch(children);
    }

    /// <summary>A missing node stands as an empty one until the walk is over; its result is then thrown away.</summary>
    StateNode Find(StateNodeId? id)
    {
        if (id is not { } wanted)
            return StateNode.Empty;
        var node = created.GetValueOrDefault(wanted) ?? nodes.Find(wanted);
        incomplete |= node is null;
        return node ?? StateNode.Empty;
    }

    StateNodeId Keep(StateNode node)
    {
        created[node.Id] = node;
        return node.Id;
    }

    List<StateNode> Reachable(StateNode root, StateNodeId before)
    {
        var reachable = new List<StateNode>();
        created[root.Id] = root;
        if (root.Id != before)
            Visit(root.Id);
        return reachable;

        void Visit(StateNodeId id)
        {
            if (!created.Remove(id, out var node) || node == StateNode.Empty)
                return;
            reachable.Add(node);
            for (var slot = 0; !node.IsLeaf && slot < StateTreeKey.Slots; slot++)
            {
                if (node.Child(slot) is { } child)
                    Visit(child);
            }
        }
    }

    static ReadOnlySpan<Change> InSlot(ReadOnlySpan<Change> changes, int slot, int depth)
    {
        if (changes.Length == 1)
            return StateTreeKey.Slot(changes[0].Key.Hash, depth) == slot ? changes : [];
        var mine = new List<Change>();
        foreach (var change in changes)
        {
            if (StateTreeKey.Slot(change.Key.Hash, depth) == slot)
                mine.Add(change);
        }
        return CollectionsMarshal.AsSpan(mine);
    }

    readonly record struct Change(StateTreeKey Key, long? EventNid);
}

sealed class KeyOrder : IComparer<ReadOnlyMemory<byte>>
{
    public static readonly KeyOrder Instance = new();

    public int Compare(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceCompareTo(y.Span);
}
