using System.Runtime.InteropServices;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Joining;

/// <summary>Puts events, which come in any order, after those that they cite. Only what waits for another is held.</summary>
sealed class AuthOrder(Room room)
{
    /// <summary>All that were added, with how many they wait for.</summary>
    readonly Dictionary<EventId, int> open = [];
    readonly Dictionary<EventId, List<Pdu>> citing = [];
    List<Pdu> ready = [];

    /// <summary>How many can be taken.</summary>
    public int Ready => ready.Count;

    /// <summary>What cites only what was taken before, or is before it among these.</summary>
    public List<Pdu> TakeReady()
    {
        var taken = ready;
        ready = [];
        return taken;
    }

    /// <summary>Each event counts once.</summary>
    public void Add(Pdu pdu)
    {
        if (!open.TryAdd(pdu.EventId, 0))
            return;
        var waits = 0;
        foreach (var cited in Cited(pdu).Where(id => !IsPassed(id)))
        {
            waits++;
            if (!citing.TryGetValue(cited, out var list))
                citing.Add(cited, list = []);
            list.Add(pdu);
        }
        open[pdu.EventId] = waits;
        if (waits == 0)
            Pass(pdu);
    }

    /// <summary>
    /// No more will be added: what waits for an event that has not come goes on without it. Those in circles, which only a liar can send in versions 1 and 2, are left out.
    /// </summary>
    public void End()
    {
        foreach (var absent in citing.Keys.Where(id => !open.ContainsKey(id)).ToList())
            Release(absent);
    }

    bool IsPassed(EventId id) => open.TryGetValue(id, out var waits) && waits == 0;

    // since version 12 no event cites the one that made the room, and all need it
    IEnumerable<EventId> Cited(Pdu pdu) => (room.Rules.RoomIdIsCreateHash && room.RoomId.CreateEventId is { } create && create != pdu.EventId
        ? pdu.AuthEvents.Append(create) : pdu.AuthEvents).Distinct();

    void Pass(Pdu pdu)
    {
        ready.Add(pdu);
        Release(pdu.EventId);
    }

    /// <summary>A chain of any length, so not by calling itself.</summary>
    void Release(EventId passed)
    {
        var done = new Queue<EventId>();
        done.Enqueue(passed);
        while (done.TryDequeue(out var id))
        {
            if (!citing.Remove(id, out var waiting))
                continue;
            foreach (var pdu in waiting)
            {
                if (--CollectionsMarshal.GetValueRefOrNullRef(open, pdu.EventId) > 0)
                    continue;
                ready.Add(pdu);
                done.Enqueue(pdu.EventId);
            }
        }
    }
}
