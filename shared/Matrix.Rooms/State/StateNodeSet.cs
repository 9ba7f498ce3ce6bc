using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>
/// The nodes at hand for a walk, and the ids of those that the walk asked for in vain. The walks are pure: the caller loads what is missing, many
/// nodes at once, and walks again.
/// </summary>
sealed class StateNodeSet(Func<StateNodeId, StateNode?> known)
{
    readonly Dictionary<StateNodeId, StateNode> loaded = [];
    readonly HashSet<StateNodeId> missing = [];

    public IReadOnlyCollection<StateNodeId> Missing => missing;

    public StateNode? Find(StateNodeId id)
    {
        if (id == StateNode.Empty.Id)
            return StateNode.Empty;
        if (loaded.TryGetValue(id, out var node) || (node = known(id)) is not null)
            return node;
        missing.Add(id);
        return null;
    }

    public void Add(StateNode node)
    {
        loaded[node.Id] = node;
        missing.Remove(node.Id);
    }
}
