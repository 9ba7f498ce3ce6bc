using Matrix.Protocol;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms;

/// <summary>Finds rooms by id. What is known of a room here never changes, so it is cached without a thought.</summary>
public sealed class RoomFinder(RoomStore store, Caches caches)
{
    readonly BoundedCache<RoomId, Room> known = caches.Create<RoomId, Room>("rooms", 8 << 20, (id, _) => 60 + Caches.WeightOf(id.ToString()));

    public async ValueTask<Room?> Find(RoomId roomId, CancellationToken ct)
    {
        if (known.TryGet(roomId, out var room))
            return room;
        room = await store.Find(roomId, ct);
        if (room is not null)
            Add(room);
        return room;
    }

    public async ValueTask<IReadOnlyList<Room>> List(IReadOnlyCollection<long> roomNids, CancellationToken ct) => await store.List(roomNids, ct);

    /// <exception cref="RoomException">404: there is no such room.</exception>
    public async ValueTask<Room> Get(RoomId roomId, CancellationToken ct) => await Find(roomId, ct) ?? throw RoomException.UnknownRoom(roomId);

    public void Add(Room room) => known.Set(room.RoomId, room);
}
