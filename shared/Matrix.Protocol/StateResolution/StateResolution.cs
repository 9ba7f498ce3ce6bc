namespace Matrix.Protocol;

/// <summary>
/// Makes one state of the states that a room's branches came to (spec, Room Versions, State resolution). No recursion, so that the length of
/// chains does not matter; the same result in whatever order states and events come.
/// </summary>
public static class StateResolution
{
    /// <summary>Resolves the places where states differ.</summary>
    /// <param name="differing">
    /// Of each state, its entries at the places where the states are not all the same. A place can be missing in some. Entries that all share
    /// may be given too, but cost time.
    /// </param>
    /// <returns>
    /// The entries to put over what all states agree on. A place that is not among them is empty in the resolved state.
    /// </returns>
    public static async ValueTask<IReadOnlyDictionary<StateKeyPair, EventId>> Resolve(
        IReadOnlyList<IReadOnlyDictionary<StateKeyPair, EventId>> differing, IStateResolutionSource source, RoomVersionRules rules,
        CancellationToken ct = default)
    {
        var events = new ResolutionEvents(source, rules, ct);
        return rules.StateResolution == StateResolutionAlgorithm.V1
            ? await StateResolutionV1.Resolve(differing, events)
            : await StateResolutionV2.Resolve(differing, source, events);
    }

    /// <summary>Resolves whole states whose events and auth chains are all in memory.</summary>
    /// <returns>The whole resolved state.</returns>
    public static IReadOnlyDictionary<StateKeyPair, EventId> Resolve(
        IReadOnlyList<IReadOnlyDictionary<StateKeyPair, EventId>> states, IEnumerable<ResolutionEvent> events, RoomVersionRules rules)
    {
        var (unconflicted, differing) = Split(states);
        if (differing.All(state => state.Count == 0))
            return unconflicted;
        var source = new MemoryResolutionSource(events, unconflicted);
        // Nothing in memory waits, so the task is complete by now.
        var resolved = Resolve(differing, source, rules, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        var result = new Dictionary<StateKeyPair, EventId>(unconflicted);
        foreach (var (key, id) in resolved)
            result[key] = id;
        return result;
    }

    /// <summary>Parts whole states into what all agree on and, for each, where it differs.</summary>
    public static (IReadOnlyDictionary<StateKeyPair, EventId> Unconflicted, IReadOnlyList<IReadOnlyDictionary<StateKeyPair, EventId>> Differing) Split(
        IReadOnlyList<IReadOnlyDictionary<StateKeyPair, EventId>> states)
    {
        var unconflicted = new Dictionary<StateKeyPair, EventId>(states.Count == 0 ? 0 : states[0].Count);
        foreach (var (key, id) in states.Count == 0 ? new Dictionary<StateKeyPair, EventId>() : states[0])
            if (states.All(state => state.TryGetValue(key, out var other) && other == id))
                unconflicted[key] = id;
        var differing = states.Select(state =>
        {
            var rest = new Dictionary<StateKeyPair, EventId>();
            foreach (var (key, id) in state)
                if (!unconflicted.ContainsKey(key))
                    rest[key] = id;
            return (IReadOnlyDictionary<StateKeyPair, EventId>)rest;
        });
        return (unconflicted, [.. differing]);
    }
}
