using Matrix.Protocol;
using Matrix.Pusher.Http;
using Matrix.Rooms.State;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Pusher.Judging;

/// <summary>
/// Events that are pushed, each read once for all who are told of it. Events do not change, except by redactions, at which everything is forgotten
/// (<see cref="Forget"/>).
/// </summary>
sealed class PushEvents(EventStore events, RoomStore rooms, StateEvents stateEvents, Caches caches)
{
    const int Weight = 8 << 10; // rather more than most have

    readonly BoundedCache<long, Room> knownRooms = caches.Create<long, Room>("pusher_rooms", 1 << 20, (_, room) => 100 + Caches.WeightOf(room.RoomId.ToString()));
    readonly BoundedCache<(long Nid, int Generation), Task<PushedEvent?>> cache =
        caches.Create<(long, int), Task<PushedEvent?>>("pushed_events", 8 << 20, (_, _) => Weight);
    readonly Lock gate = new();
    int generation;

    /// <summary>An event was redacted.</summary>
    public void Forget() => Interlocked.Increment(ref generation);

    /// <summary>The event; null if nobody is to be told of it: it does not count in the room, or was redacted.</summary>
    public async ValueTask<PushedEvent?> Find(long eventNid, CancellationToken ct)
    {
        var key = (eventNid, Volatile.Read(ref generation));
        Task<PushedEvent?>? reading;
        lock (gate)
        {
            if (!cache.TryGet(key, out reading))
                cache.Set(key, reading = Read(eventNid));
        }
        try
        {
            return await reading.WaitAsync(ct);
        }
        catch (Exception) when (reading.IsFaulted)
        {
            cache.Remove(key);
            throw;
        }
    }

    public async ValueTask<Room?> FindRoom(long roomNid, CancellationToken ct)
    {
        if (knownRooms.TryGet(roomNid, out var room))
            return room;
        if ((await rooms.List([roomNid], ct)) is not [var found])
            return null;
        knownRooms.Set(roomNid, found);
        return found;
    }

    // for everybody who asks: nobody's cancellation ends it
    async Task<PushedEvent?> Read(long eventNid)
    {
        await Task.Yield();
        var stored = (await events.Get([eventNid], CancellationToken.None)).GetValueOrDefault(eventNid);
        if (stored is null or { Rejected: not null } or { SoftFailed: true } or { RedactedBy: not null }
            || await FindRoom(stored.RoomNid, CancellationToken.None) is not { } room)
        {
            return null;
        }
        var pdu = Pdu.FromStored(stored.EventId, stored.Json, stored.Rules);
        Pdu?[] state = stored.StateBefore is { } root
            ? await stateEvents.Find(root, [
                new(EventTypes.PowerLevels, ""), new(EventTypes.Create, ""), new(EventTypes.Member, pdu.Sender.ToString())], CancellationToken.None)
            : [null, null, null];
        return new PushedEvent(eventNid, room, pdu, stored.StateBefore, PowerLevels.Read(state[0], state[1]),
            NotificationBody.Shared(pdu, state[2]?.ContentString("displayname"u8)));
    }
}
