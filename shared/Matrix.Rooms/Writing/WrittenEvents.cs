using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.Rooms.Writing;

/// <summary>
/// The events that this process wrote a moment ago, as the tables have them: whoever shows a new event to its readers need not ask Postgres for what has just been
/// sent there. They are here before the log tells of them, and only as long as there is room; they say nothing of redactions that came later. Events of
/// rooms whose members are not known yet are not among them, since the states of these are written anew.
/// </summary>
public sealed class WrittenEvents(Caches caches)
{
    readonly BoundedCache<long, WrittenEvent> recent = caches.Create<long, WrittenEvent>("written_events", 4 << 20, (_, e) => e.Weight);

    internal void Add(WrittenEvent e) => recent.Set(e.EventNid, e);

    /// <summary>The event as the tables had it when it was written; null when it was written elsewhere, or longer ago.</summary>
    public EventRow? Find(long eventNid) => recent.TryGet(eventNid, out var e) ? e.ToRow() : null;

    /// <summary>The tables have it otherwise now.</summary>
    public void Forget(long eventNid) => recent.Remove(eventNid);
}

/// <param name="Position">Where the log has it.</param>
/// <param name="Transaction">With which one of this server's devices sent it.</param>
sealed record WrittenEvent(Room Room, ChainedEvent Event, long Position, TransactionId? Transaction)
{
    public long EventNid => Event.EventNid;

    public long Weight => Caches.Overhead + 1024 + Event.Pdu.Json.Length;

    public EventRow ToRow() => new(
        Event.EventNid, Event.Pdu.EventId.ToString(), Room.RoomNid, Room.RoomId.ToString(), Room.Rules.Id, Position, Event.Pdu.Type, Event.Pdu.StateKey,
        Event.Pdu.Sender.ToString(), Event.Pdu.OriginServerTs, Event.Pdu.Json.ToArray(), Event.StateBefore.ToBytes(), Event.RoomState.ToBytes(), null,
        Transaction?.DeviceId.ToString(), Transaction?.TxnId);
}
