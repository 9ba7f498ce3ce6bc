namespace Matrix.Protocol;

/// <summary>The full conflicted set as a graph: which of its events are in the auth chains of which, also by way of events outside of it.</summary>
sealed class AuthGraph(IReadOnlyDictionary<EventId, Pdu> full, IReadOnlySet<EventId> passage, ResolutionEvents events)
{
    readonly Dictionary<EventId, IReadOnlyList<EventId>> _parents = [];

    /// <summary>The power events of the set, with what of the set is in their auth chains.</summary>
    public HashSet<EventId> SelectPowerEvents()
    {
        var selected = full.Values.Where(IsPowerEvent).Select(pdu => pdu.EventId).ToHashSet();
        var open = new Stack<EventId>(selected);
        while (open.TryPop(out var id))
            foreach (var parent in Parents(id))
                if (selected.Add(parent))
                    open.Push(parent);
        return selected;
    }

    public Pdu Get(EventId id) => full[id];

    /// <summary>The members of the set that this one cites, directly or through events outside of the set.</summary>
    public IReadOnlyList<EventId> Parents(EventId id)
    {
        if (_parents.TryGetValue(id, out var known))
            return known;
        var (parents, seen) = (new List<EventId>(), new HashSet<EventId>());
        var open = new Stack<EventId>(full[id].AuthEvents);
        while (open.TryPop(out var next))
        {
            if (!seen.Add(next))
                continue;
            if (full.ContainsKey(next))
                parents.Add(next);
            else if (passage.Contains(next) && events.Find(next) is { } pdu)
                foreach (var further in pdu.AuthEvents)
                    open.Push(further);
        }
        return _parents[id] = parents;
    }

    static bool IsPowerEvent(Pdu pdu) => pdu.Type switch
    {
        EventTypes.PowerLevels or EventTypes.JoinRules => true,
        EventTypes.Member => pdu.Membership is "leave" or "ban" && pdu.Sender.ToString() != pdu.StateKey,
        _ => false,
    };
}
