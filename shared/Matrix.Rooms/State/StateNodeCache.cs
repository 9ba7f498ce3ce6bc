using BitFaster.Caching.Lru;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>The newest used state nodes, of all rooms. Nodes never change, so nothing is ever invalidated.</summary>
public sealed class StateNodeCache(int capacity)
{
    readonly ConcurrentLru<StateNodeId, StateNode> nodes = new(capacity);

    public StateNode? Find(StateNodeId id) => nodes.TryGet(id, out var node) ? node : null;

    public void Add(StateNode node) => nodes.AddOrUpdate(node.Id, node);
}
