using Matrix.Protocol;

namespace Matrix.Rooms.Joining;

/// <summary>Puts events after those that they cite.</summary>
static class AuthOrder
{
    /// <summary>Each event once; those in circles, which only a liar can send in versions 1 and 2, are left out.</summary>
    public static List<Pdu> Sort(IEnumerable<Pdu> pdus)
    {
        var byId = new Dictionary<EventId, Pdu>();
        foreach (var pdu in pdus)
            byId.TryAdd(pdu.EventId, pdu);
        var waiting = new Dictionary<EventId, int>(byId.Count);
        var citing = new Dictionary<EventId, List<Pdu>>();
        var ready = new Queue<Pdu>();
        // since version 12 no event cites the one that made the room, and all need it
        foreach (var pdu in byId.Values.OrderBy(pdu => pdu.Type != EventTypes.Create))
        {
            var open = 0;
            foreach (var cited in pdu.AuthEvents.Distinct().Where(byId.ContainsKey))
            {
                open++;
                if (!citing.TryGetValue(cited, out var list))
                    citing.Add(cited, list = []);
                list.Add(pdu);
            }
            waiting[pdu.EventId] = open;
            if (open == 0)
                ready.Enqueue(pdu);
        }
        var sorted = new List<Pdu>(byId.Count);
        while (ready.TryDequeue(out var pdu))
        {
            sorted.Add(pdu);
            foreach (var next in citing.GetValueOrDefault(pdu.EventId) ?? [])
            {
                if (--waiting[next.EventId] == 0)
                    ready.Enqueue(next);
            }
        }
        return sorted;
    }
}
