using System.Diagnostics.CodeAnalysis;
using BitFaster.Caching.Lru;
using Matrix.Replication;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Writing;

/// <summary>
/// The heads of the rooms that this process writes in, as it last saw them. The log tells of newer events by other processes, but late: a head may be
/// stale, and the database compares its version when an event is written. The seat of a room lets in one writer of this process at a time, so that it
/// does not compete with itself.
/// </summary>
public sealed class RoomHeads : IDisposable
{
    const int Capacity = 10_000;

    readonly ConcurrentLru<long, Place> places = new(Capacity);
    readonly RoomStore store;
    readonly IDisposable subscription;

    public RoomHeads(RoomStore store, LogFollower log)
    {
        this.store = store;
        subscription = log.Subscribe(ForgetOlder);
    }

    /// <summary>Waits until no other writer of this process is in the room.</summary>
    public async Task<Seat> Enter(long roomNid, CancellationToken ct)
    {
        var place = places.GetOrAdd(roomNid, static _ => new Place());
        await place.Gate.WaitAsync(ct);
        return new Seat(roomNid, place, store);
    }

    public void Dispose() => subscription.Dispose();

    void ForgetOlder(IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry is { Kind: LogKind.Event, RoomNid: { } roomNid } && places.TryGet(roomNid, out var place)
                && place.Head is { } head && head.Position < entry.Position.Value)
                place.Head = null;
        }
    }

    [SuppressMessage("Design", "CA1001", Justification = "A semaphore holds nothing unless somebody asks for its wait handle.")]
    internal sealed class Place
    {
        public readonly SemaphoreSlim Gate = new(1);
        public volatile RoomHead? Head;
    }

    /// <summary>The right of this process to write in a room, until it is disposed.</summary>
    public sealed class Seat : IDisposable
    {
        readonly long roomNid;
        readonly Place place;
        readonly RoomStore store;

        internal Seat(long roomNid, Place place, RoomStore store) => (this.roomNid, this.place, this.store) = (roomNid, place, store);

        /// <summary>Was the head seen before this writer came in?</summary>
        public bool MayBeStale { get; private set; } = true;

        /// <summary>The head as it was last seen, or as it is.</summary>
        public async ValueTask<RoomHead> Head(CancellationToken ct)
        {
            if (place.Head is { } known)
                return known;
            MayBeStale = false;
            return place.Head = await store.FindHead(roomNid, ct) ?? throw new InvalidDataException($"Room {roomNid} has no head.");
        }

        /// <summary>After a commit.</summary>
        public void Advance(RoomHead head) => place.Head = head;

        /// <summary>Somebody else has moved the head: read it again.</summary>
        public void Forget() => place.Head = null;

        public void Dispose() => place.Gate.Release();
    }
}
