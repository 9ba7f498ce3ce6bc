using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>The newest used state nodes, of all rooms. Nodes never change, so nothing is ever invalidated.</summary>
public sealed class StateNodeCache(Caches caches, long bytes = 24 << 20)
{
    readonly BoundedCache<StateNodeId, StateNode> nodes =
        caches.Create<StateNodeId, StateNode>("state_nodes", bytes, (_, node) => 80 + node.Data.Length);

    public StateNode? Find(StateNodeId id) => nodes.TryGet(id, out var node) ? node : null;

    public void Add(StateNode node) => nodes.Set(node.Id, node);
}
