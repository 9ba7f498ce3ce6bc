namespace Matrix.Protocol;

/// <summary>
/// The reverse topological power ordering: auth events before those that cite them, and among the free ones the greater power of the sender,
/// then the earlier time, then the smaller id first.
/// </summary>
static class PowerOrdering
{
    public static List<Pdu> Sort(IReadOnlySet<EventId> selected, AuthGraph graph, ResolutionEvents events)
    {
        var waiting = new Dictionary<EventId, int>(selected.Count);
        var children = new Dictionary<EventId, List<EventId>>();
        var free = new PriorityQueue<Pdu, Place>(selected.Count);
        foreach (var id in selected)
        {
            var parents = graph.Parents(id);
            waiting[id] = parents.Count;
            foreach (var parent in parents)
            {
                if (!children.TryGetValue(parent, out var list))
                    children[parent] = list = [];
                list.Add(id);
            }
            if (parents.Count == 0)
                Enqueue(id);
        }
        var sorted = new List<Pdu>(selected.Count);
        while (free.TryDequeue(out var pdu, out _))
        {
            sorted.Add(pdu);
            foreach (var child in children.GetValueOrDefault(pdu.EventId, []))
                if (--waiting[child] == 0)
                    Enqueue(child);
        }
        return sorted;

        void Enqueue(EventId id)
        {
            var pdu = graph.Get(id);
            free.Enqueue(pdu, new Place(events.SenderLevel(pdu), pdu.OriginServerTs, id));
        }
    }

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
