using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// The state of rooms without the members, for patterns that match many events: kept for one root of each room and moved on to the next by the
/// difference, so that a big room is walked once and not at every join.
/// </summary>
sealed class RoomOutlines(StateTree tree, Caches caches)
{
    readonly BoundedCache<long, Outline> outlines = caches.Create<long, Outline>("room_outlines", 32 << 20, (_, outline) => 100 + (150L * outline.Entries.Count));

    sealed record Outline(StateNodeId Root, IReadOnlyDictionary<StateKeyPair, long> Entries);

    public async ValueTask<IReadOnlyDictionary<StateKeyPair, long>> Read(long room, StateNodeId root, CancellationToken ct) =>
        (await Read([(room, root)], ct))[room];

    /// <summary>By room. Those that are not known are walked together.</summary>
    public async ValueTask<Dictionary<long, IReadOnlyDictionary<StateKeyPair, long>>> Read(IReadOnlyList<(long Room, StateNodeId Root)> rooms, CancellationToken ct)
    {
        var found = new Dictionary<long, IReadOnlyDictionary<StateKeyPair, long>>();
        var unknown = new List<(long Room, StateNodeId Root)>();
        foreach (var (room, root) in rooms)
        {
            if (!outlines.TryGet(room, out var known))
                unknown.Add((room, root));
            else if (known.Root == root)
                found[room] = known.Entries;
            else
                outlines.Set(room, new Outline(root, found[room] = await MoveOn(known, root, ct)));
        }
        if (unknown.Count == 0)
            return found;
        var states = await tree.ReadAll([.. unknown.Select(u => u.Root)], ct);
        foreach (var ((room, root), state) in unknown.Zip(states))
        {
            var entries = new Dictionary<StateKeyPair, long>();
            foreach (var entry in state.Where(entry => entry.Key.Type != EventTypes.Member))
                entries[entry.Key] = entry.EventNid;
            outlines.Set(room, new Outline(root, found[room] = entries));
        }
        return found;
    }

    async Task<IReadOnlyDictionary<StateKeyPair, long>> MoveOn(Outline known, StateNodeId root, CancellationToken ct)
    {
        var changes = (await tree.Diff(known.Root, root, ct)).Where(change => change.Key.Type != EventTypes.Member).ToList();
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
