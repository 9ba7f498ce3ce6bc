using Matrix.Protocol;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms;

/// <summary>
/// Finds rooms by id. What is known of a room that this server has been in never changes, so it is cached without a thought. Of others there is only what somebody
/// has said, which may turn out to be wrong (<see cref="RoomStore.Supersede"/>).
/// </summary>
public sealed class RoomFinder(RoomStore store, Caches caches)
{
    readonly BoundedCache<RoomId, Room> known = caches.Create<RoomId, Room>("rooms", 8 << 20, (id, _) => 60 + Caches.WeightOf(id.ToString()));

    public async ValueTask<Room?> Find(RoomId roomId, CancellationToken ct)
    {
        if (known.TryGet(roomId, out var room))
            return room;
        if (await store.FindKnown(roomId, ct) is not var (found, isBegun))
            return null;
        if (isBegun)
            Add(found);
        return found;
    }

    public async ValueTask<IReadOnlyList<Room>> List(IReadOnlyCollection<long> roomNids, CancellationToken ct) => await store.List(roomNids, ct);

    /// <exception cref="RoomException">404: there is no such room.</exception>
    public async ValueTask<Room> Get(RoomId roomId, CancellationToken ct) => await Find(roomId, ct) ?? throw RoomException.UnknownRoom(roomId);

    public void Add(Room room) => known.Set(room.RoomId, room);
}
