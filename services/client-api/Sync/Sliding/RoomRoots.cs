using Matrix.Rooms.State;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>The states of rooms at positions of the log, which never change. Asked for together, they are one query.</summary>
sealed class RoomRoots(SyncStore store, Caches caches)
{
    readonly BoundedCache<(long Room, long Position), StateNodeId> roots = caches.Create<(long Room, long Position), StateNodeId>(
        "room_roots", 4 << 20, (_, _) => 32);

    public void Learn(long room, long position, StateNodeId root) => roots.Set((room, position), root);

    public async ValueTask<Dictionary<(long Room, long Position), StateNodeId>> Get(IReadOnlyCollection<(long Room, long Position)> places, CancellationToken ct)
    {
        var found = new Dictionary<(long, long), StateNodeId>();
        var missing = new List<(long Room, long Position)>();
        foreach (var place in places)
        {
            if (roots.TryGet(place, out var root))
                found[place] = root;
            else
                missing.Add(place);
        }
        if (missing.Count == 0)
            return found;
        foreach (var at in await store.ListStatesAt([.. missing.Select(m => m.Room)], [.. missing.Select(m => m.Position)], ct))
        {
            var root = found[(at.RoomNid, at.Position)] = at.RoomState is { } stored ? StateNodeId.Read(stored) : StateTree.Empty;
            roots.Set((at.RoomNid, at.Position), root);
        }
        return found;
    }
}
