namespace Matrix.Protocol;

/// <summary>
/// The full conflicted set as a graph: which of its events are in the auth chains of which. Chains may lead out of the set and back in by way of
/// <paramref name="passage"/>; those events are walked through and never come out. All is linear in events and auth events.
/// </summary>
sealed class AuthGraph(IReadOnlyDictionary<EventId, Pdu> full, IReadOnlySet<EventId> passage, ResolutionEvents events)
{
    /// <summary>
    /// The power events of the set with what of the set is in their auth chains, in the reverse topological power ordering: auth events before
    /// those that cite them, and among the free ones the greater power of the sender, then the earlier time, then the smaller id first.
    /// </summary>
    public List<Pdu> SortPowerEvents()
    {
        var (waiting, children) = Connect(ReachFromPowerEvents());
        var sorted = new List<Pdu>(waiting.Count);
        var free = new PriorityQueue<Pdu, Place>(waiting.Count);
        var released = new Stack<EventId>(waiting.Where(entry => entry.Value == 0).Select(entry => entry.Key));
        while (true)
        {
            while (released.TryPop(out var id))
                if (full.TryGetValue(id, out var pdu))
                    free.Enqueue(pdu, new Place(events.SenderLevel(pdu), pdu.OriginServerTs, id));
                else
                    Release(id);
            if (!free.TryDequeue(out var next, out _))
                return sorted;
            sorted.Add(next);
            Release(next.EventId);
        }

        void Release(EventId id)
        {
            foreach (var child in children.GetValueOrDefault(id, []))
                if (--waiting[child] == 0)
                    released.Push(child);
        }
    }

    /// <summary>The power events, and all of the set and the passage that is in their auth chains.</summary>
    HashSet<EventId> ReachFromPowerEvents()
    {
        var reached = full.Values.Where(IsPowerEvent).Select(pdu => pdu.EventId).ToHashSet();
        var open = new Stack<EventId>(reached);
        while (open.TryPop(out var id))
            foreach (var parent in Get(id).AuthEvents)
                if ((full.ContainsKey(parent) || (passage.Contains(parent) && events.Find(parent) is not null)) && reached.Add(parent))
                    open.Push(parent);
        return reached;
    }

    /// <summary>For each event how many of these it cites, and which of these cite it.</summary>
    (Dictionary<EventId, int> Waiting, Dictionary<EventId, List<EventId>> Children) Connect(HashSet<EventId> reached)
    {
        var waiting = new Dictionary<EventId, int>(reached.Count);
        var children = new Dictionary<EventId, List<EventId>>();
        foreach (var id in reached)
        {
            var count = 0;
            foreach (var parent in Get(id).AuthEvents.Distinct())
            {
                if (!reached.Contains(parent))
                    continue;
                if (!children.TryGetValue(parent, out var list))
                    children[parent] = list = [];
                list.Add(id);
                count++;
            }
            waiting[id] = count;
        }
        return (waiting, children);
    }

    Pdu Get(EventId id) => full.TryGetValue(id, out var pdu) ? pdu : events.Find(id)!;

    static bool IsPowerEvent(Pdu pdu) => pdu.Type switch
    {
        EventTypes.PowerLevels or EventTypes.JoinRules => true,
        EventTypes.Member => pdu.Membership is "leave" or "ban" && pdu.Sender.ToString() != pdu.StateKey,
        _ => false,
    };

    readonly record struct Place(long Level, long Timestamp, EventId Id) : IComparable<Place>
    {
        public int CompareTo(Place other)
        {
            if (Level != other.Level)
                return other.Level.CompareTo(Level);
            return Timestamp != other.Timestamp ? Timestamp.CompareTo(other.Timestamp) : Id.CompareTo(other.Id);
        }
    }
}
