using BitFaster.Caching.Lru;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Writing;

/// <summary>
/// The heads of the rooms that this process writes in: as they will be once the changes on their way are committed, or as it last saw them. The log
/// tells of events by other processes, but late: a head may be stale, and the database compares it when an event is written. The seat of a room lets
/// in one planner of this process at a time, so that it does not compete with itself.
/// </summary>
public sealed class RoomHeads : IDisposable
{
    const int Bytes = 10 << 20, BytesOfPlace = 1024;

    readonly ConcurrentLru<long, RoomPlace> places;
    readonly RoomStore store;
    readonly LogWriter log;
    readonly IDisposable subscription;

    public RoomHeads(RoomStore store, LogWriter log, LogFollower follower, Caches caches)
    {
        (this.store, this.log) = (store, log);
        places = new((int)(caches.Scale("room_heads", Bytes) / BytesOfPlace));
        subscription = follower.Subscribe(Hear);
    }

    /// <summary>Waits until no other writer of this process plans in the room.</summary>
    public async Task<Seat> Enter(long roomNid, CancellationToken ct)
    {
        var place = places.GetOrAdd(roomNid, static _ => new RoomPlace());
        await place.Gate.WaitAsync(ct);
        return new Seat(roomNid, place, store, log);
    }

    /// <summary>The heads of these rooms as this process knows them; those that it does not know are read at once.</summary>
    internal async Task<IReadOnlyCollection<RoomHead>> Load(IReadOnlyCollection<long> roomNids, CancellationToken ct)
    {
        var rooms = roomNids.ToDictionary(nid => nid, nid => places.GetOrAdd(nid, static _ => new RoomPlace()));
        var unknown = rooms.Where(room => room.Value.Head is null).Select(room => (Room: room, room.Value.Generation)).ToList();
        if (unknown.Count > 0)
        {
            var read = await store.ListHeads([.. unknown.Select(u => u.Room.Key)], ct);
            foreach (var (room, generation) in unknown)
            {
                if (read.TryGetValue(room.Key, out var head))
                    room.Value.Offer(head, generation);
            }
        }
        return [.. rooms.Values.Select(place => place.Head).OfType<RoomHead>()];
    }

    public void Dispose() => subscription.Dispose();

    void Hear(IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry is { Kind: LogKind.Event, RoomNid: { } roomNid, EventNid: { } eventNid } && places.TryGet(roomNid, out var place))
                place.Hear(eventNid, entry.Position);
        }
    }

    /// <summary>The right of one writer to plan in a room, until it is disposed.</summary>
    public sealed class Seat : IDisposable
    {
        readonly long roomNid;
        readonly RoomPlace place;
        readonly RoomStore store;
        readonly LogWriter log;

        internal Seat(long roomNid, RoomPlace place, RoomStore store, LogWriter log) =>
            (this.roomNid, this.place, this.store, this.log) = (roomNid, place, store, log);

        /// <summary>Was the head seen before this writer came in, or is it not committed yet?</summary>
        public bool MayBeStale { get; private set; } = true;

        /// <summary>The head to build on: as it will be, as it was last seen, or, if nothing is known of it, as it is.</summary>
        public async ValueTask<RoomHead> Head(CancellationToken ct)
        {
            if (place.Head is { } known)
                return known;
            MayBeStale = false;
            // what is on its way would make the head an old one at once
            await place.Settle(ct);
            var head = await store.FindHead(roomNid, ct) ?? throw new InvalidDataException($"Room {roomNid} has no head.");
            place.Read(head);
            return head;
        }

        /// <summary>Waits until nothing of this process is on its way: the head is a committed one then, or is not known.</summary>
        public ValueTask Settle(CancellationToken ct) => place.Settle(ct);

        /// <summary>What the same transaction, which has been handed over and not committed yet, will bring.</summary>
        internal Task<SentEvent>? FindUnderway(TransactionId transaction) => place.FindUnderway(transaction);

        /// <summary>Hands the chain over to the log. The next writer may plan on it as soon as this seat is free.</summary>
        /// <returns>A task that ends with the commit.</returns>
        internal async ValueTask<Task<SentEvent>> Post(
            EventChain chain, EventId eventId, EventsChange change, TransactionId? transaction, CancellationToken ct)
        {
            var flight = place.Begin(chain);
            try
            {
                return place.Follow(flight, await log.Post(change, ct), eventId, transaction);
            }
            catch
            {
                place.Fail(flight);
                throw;
            }
        }

        /// <summary>Read the head again.</summary>
        public void Forget() => place.Forget();

        public void Dispose() => place.Gate.Release();
    }
}
