using System.Diagnostics;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Resolution;

/// <summary>
/// Makes one state of the states in which branches of a room ended. Cost follows what differs: the trees tell the places, the auth index the chains.
/// The same states always make the same one, so results are remembered.
/// </summary>
public sealed class StateResolver(StateTree tree, EventStore events, AuthIndex index, AuthIndexStore indexStore, AuthBacklog backlog, Caches caches)
{
    public static readonly IReadOnlyDictionary<long, Pdu> NothingPending = new Dictionary<long, Pdu>();

    readonly BoundedCache<string, StateUpdate> results = caches.Create<string, StateUpdate>(
        "resolved_states", 4 << 20, (roots, update) => Caches.WeightOf(roots) + 60 + update.NewNodes.Sum(node => 80L + node.Data.Length));

    /// <summary>The resolved state, with those of its nodes that may not be stored yet.</summary>
    /// <param name="pending">State events that are not stored yet; no stored event may cite them.</param>
    public async ValueTask<StateUpdate> Resolve(
        Room room, IEnumerable<StateNodeId> states, IReadOnlyDictionary<long, Pdu> pending, CancellationToken ct)
    {
        StateNodeId[] roots = [.. states.Distinct().OrderBy(root => root.Value)];
        if (roots.Length == 1)
            return new StateUpdate(roots[0], []);
        var name = string.Concat(roots);
        if (results.TryGet(name, out var known))
            return known;
        await backlog.Settle(room.RoomNid, ct);
        var began = Stopwatch.GetTimestamp();
        var result = await ResolveDiffering(room, roots, pending, ct);
        RoomsMetrics.Resolved(Stopwatch.GetElapsedTime(began));
        results.Set(name, result);
        return result;
    }

    async ValueTask<StateUpdate> ResolveDiffering(
        Room room, StateNodeId[] roots, IReadOnlyDictionary<long, Pdu> pending, CancellationToken ct)
    {
        var states = new Dictionary<StateKeyPair, long>[roots.Length];
        var first = new Dictionary<StateKeyPair, long?>();
        var changes = new List<StateDifference>[roots.Length];
        for (var i = 1; i < roots.Length; i++)
        {
            changes[i] = await tree.Diff(roots[0], roots[i], ct);
            foreach (var change in changes[i])
                first[change.Key] = change.Before;
        }
        for (var i = 0; i < roots.Length; i++)
        {
            var state = new Dictionary<StateKeyPair, long?>(first);
            foreach (var change in changes[i] ?? [])
                state[change.Key] = change.After;
            states[i] = state.Where(entry => entry.Value is not null).ToDictionary(entry => entry.Key, entry => entry.Value!.Value);
        }
        var source = new StoredResolutionSource(room.RoomNid, roots[0], first.Keys.ToHashSet(), tree, events, index, indexStore);
        source.Add(pending);
        var ids = await source.Load([.. states.SelectMany(state => state.Values).Distinct()], ct);
        var resolved = await StateResolution.Resolve(
            [.. states.Select(state => state.ToDictionary(entry => entry.Key, entry => ids[entry.Value]))], source, room.Rules, ct);
        var assignments = first.Keys.Where(key => !resolved.ContainsKey(key)).Select(key => new StateAssignment(key, null))
            .Concat(resolved.Select(entry => new StateAssignment(entry.Key, source.NidOf(entry.Value))));
        return await tree.Set(roots[0], [.. assignments], ct);
    }
}
