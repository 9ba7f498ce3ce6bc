using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// The state of rooms without the members, for patterns that match many events: kept for one root of each room and moved on to the next by the
/// difference, so that a big room is walked once and not at every join.
/// </summary>
sealed class RoomOutlines(StateTree states, Caches caches)
{
    readonly BoundedCache<long, Outline> outlines = caches.Create<long, Outline>("room_outlines", 32 << 20, (_, outline) => 100 + (150L * outline.Entries.Count));

    sealed record Outline(StateNodeId Root, IReadOnlyDictionary<StateKeyPair, long> Entries);

    public async ValueTask<IReadOnlyDictionary<StateKeyPair, long>> Read(long room, StateNodeId root, CancellationToken ct)
    {
        if (outlines.TryGet(room, out var known) && known.Root == root)
            return known.Entries;
        var entries = known is null ? await ReadAll(root, ct) : await MoveOn(known, root, ct);
        outlines.Set(room, new Outline(root, entries));
        return entries;
    }

    async Task<IReadOnlyDictionary<StateKeyPair, long>> ReadAll(StateNodeId root, CancellationToken ct)
    {
        var entries = new Dictionary<StateKeyPair, long>();
        foreach (var entry in await states.ReadAll(root, ct))
        {
            if (entry.Key.Type != EventTypes.Member)
                entries[entry.Key] = entry.EventNid;
        }
        return entries;
    }

    async Task<IReadOnlyDictionary<StateKeyPair, long>> MoveOn(Outline known, StateNodeId root, CancellationToken ct)
    {
        var changes = (await states.Diff(known.Root, root, ct)).Where(change => change.Key.Type != EventTypes.Member).ToList();
        if (changes.Count == 0)
            return known.Entries;
        var entries = new Dictionary<StateKeyPair, long>(known.Entries);
        foreach (var change in changes)
        {
            if (change.After is { } nid)
                entries[change.Key] = nid;
            else
                entries.Remove(change.Key);
        }
        return entries;
    }
}
