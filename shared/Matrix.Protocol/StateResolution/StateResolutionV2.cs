namespace Matrix.Protocol;

/// <summary>State resolution of room versions 2 to 11, and with the changes of version 12 (2.1).</summary>
static class StateResolutionV2
{
    public static async ValueTask<IReadOnlyDictionary<StateKeyPair, EventId>> Resolve(
        IReadOnlyList<IReadOnlyDictionary<StateKeyPair, EventId>> differing, IStateResolutionSource source, ResolutionEvents events)
    {
        var conflicted = differing.SelectMany(state => state.Values).ToHashSet();
        var subgraph = await source.FindSubgraph(conflicted, events.Cancellation);
        var isNewer = events.Rules.StateResolution == StateResolutionAlgorithm.V21;
        var full = new HashSet<EventId>(conflicted);
        full.UnionWith(await FindDifference(differing, source, events));
        if (isNewer)
            full.UnionWith(subgraph);

        // Paths between members of the full conflicted set can leave it, but never the subgraph.
        await events.Load(full.Concat(subgraph));
        var pdus = full.Select(events.Find).OfType<Pdu>().Where(pdu => pdu.IsState).ToDictionary(pdu => pdu.EventId);
        await events.LoadForChecks(pdus.Values);
        var passage = subgraph.Where(id => !full.Contains(id)).ToHashSet();
        var graph = new AuthGraph(pdus, passage, events);

        var state = isNewer ? [] : Unconflicted(pdus.Values, events);
        var power = graph.SortPowerEvents();
        Apply(power, state, events);
        var rest = pdus.Values.Except(power).ToList();
        Apply(await MainlineOrdering.Sort(rest, state.GetValueOrDefault(new(EventTypes.PowerLevels, "")), events), state, events);
        return await WithoutUnconflicted(state, source, events);
    }

    /// <summary>
    /// The auth difference, without the events that stand in all the states. By the specification's words such an event is in the difference if only some states
    /// have it in the auth chains of their events. Synapse counts an event of a state among the state's auth chain; a room whose servers do not do the same comes
    /// apart, for what is in the difference is sorted with the rest.
    /// </summary>
    static async ValueTask<IEnumerable<EventId>> FindDifference(
        IReadOnlyList<IReadOnlyDictionary<StateKeyPair, EventId>> differing, IStateResolutionSource source, ResolutionEvents events)
    {
        var difference = await source.FindAuthDifference([.. differing.Select(state => state.Values.ToList())], events.Cancellation);
        await events.Load(difference);
        var places = difference.Select(events.Find).OfType<Pdu>().Where(pdu => pdu.IsState).Select(pdu => new StateKeyPair(pdu.Type, pdu.StateKey!)).ToHashSet();
        return difference.Except((await source.FindUnconflicted(places, events.Cancellation)).Values);
    }

    /// <summary>The iterative auth checks.</summary>
    static void Apply(IEnumerable<Pdu> sorted, Dictionary<StateKeyPair, Pdu> state, ResolutionEvents events)
    {
        foreach (var pdu in sorted)
            if (events.IsAllowed(pdu, state, useAuthEvents: true))
                state[new(pdu.Type, pdu.StateKey!)] = pdu;
    }

    /// <summary>As much of the unconflicted state as the checks can ask for.</summary>
    static Dictionary<StateKeyPair, Pdu> Unconflicted(IEnumerable<Pdu> pdus, ResolutionEvents events)
    {
        var state = new Dictionary<StateKeyPair, Pdu>();
        StateKeyPair[] always = [new(EventTypes.PowerLevels, ""), new(EventTypes.Create, "")];
        foreach (var key in pdus.SelectMany(AuthEvents.KeysFor).Concat(always).Distinct())
            if (events.FindUnconflicted(key) is { } pdu)
                state[key] = pdu;
        return state;
    }

    static async ValueTask<IReadOnlyDictionary<StateKeyPair, EventId>> WithoutUnconflicted(
        Dictionary<StateKeyPair, Pdu> state, IStateResolutionSource source, ResolutionEvents events)
    {
        var agreed = await source.FindUnconflicted(state.Keys, events.Cancellation);
        return state.Where(entry => !agreed.ContainsKey(entry.Key)).ToDictionary(entry => entry.Key, entry => entry.Value.EventId);
    }
}
