using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Joining;

/// <summary>An event that is stored, with its number.</summary>
readonly record struct ShelvedEvent(long EventNid, Pdu Pdu, bool IsRejected);

/// <summary>
/// What of a room's events has been stored so far. Events themselves are kept only as far as others are likely to cite them: what is not kept is read again.
/// </summary>
sealed class Shelf(Room room)
{
    const int MostKept = 2000;

    readonly Dictionary<EventId, (long EventNid, bool IsRejected)> stored = [];
    readonly Dictionary<EventId, ShelvedEvent> kept = [];
    readonly Dictionary<EventId, ShelvedEvent> cited = [];

    public Room Room => room;

    /// <summary>The event's number, and whether it was rejected; null: it is not among them, or lacks what it cites.</summary>
    public (long EventNid, bool IsRejected)? FindStored(EventId id) => stored.TryGetValue(id, out var found) ? found : null;

    /// <summary>Null: it is not stored, or has to be read again.</summary>
    public ShelvedEvent? Find(EventId id) => kept.TryGetValue(id, out var e) || cited.TryGetValue(id, out e) ? e : null;

    /// <summary>An event that has been read because others cite it.</summary>
    public void Cite(ShelvedEvent e) => cited[e.Pdu.EventId] = e;

    /// <summary>Between two lots: what was read for the last ones may be forgotten.</summary>
    public void Trim()
    {
        if (cited.Count > MostKept)
            cited.Clear();
    }

    public void Take(IEnumerable<ShelvedEvent> some)
    {
        foreach (var e in some)
        {
            stored[e.Pdu.EventId] = (e.EventNid, e.IsRejected);
            if (e.Pdu.Type != EventTypes.Member && kept.Count < MostKept)
                kept[e.Pdu.EventId] = e;
        }
    }
}
