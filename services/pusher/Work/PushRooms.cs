using Matrix.Storage.Caching;
using Matrix.Storage.Push;

namespace Matrix.Pusher.Work;

/// <summary>Who in a room has pushers, until the log tells of a change. May name somebody who came a moment later: whoever judges an event looks.</summary>
sealed class PushRooms(PushRoomStore store, Caches caches)
{
    readonly BoundedCache<long, Present> cache = caches.Create<long, Present>(
        "pusher_members", 8 << 20, (_, present) => 80 + present.Users.Sum(Caches.WeightOf));
    int generation;

    /// <summary>Somebody with pushers has come to the room, or left it.</summary>
    public void Changed(long roomNid) => cache.Remove(roomNid);

    /// <summary>There are users with pushers who had none.</summary>
    public void Forget() => generation++;

    /// <summary>By room; in one query for all that are not known.</summary>
    public async ValueTask<Dictionary<long, IReadOnlyList<string>>> Get(IReadOnlyCollection<long> rooms, CancellationToken ct)
    {
        var found = new Dictionary<long, IReadOnlyList<string>>(rooms.Count);
        List<long>? missing = null;
        foreach (var room in rooms)
        {
            if (cache.TryGet(room, out var present) && present.Generation == generation)
                found[room] = present.Users;
            else
                (missing ??= []).Add(room);
        }
        if (missing is null)
            return found;
        var users = (await store.ListUsers(missing, ct)).ToLookup(row => row.RoomNid, row => row.UserId);
        foreach (var room in missing)
        {
            var present = new Present(generation, [.. users[room]]);
            cache.Set(room, present);
            found[room] = present.Users;
        }
        return found;
    }

    sealed record Present(int Generation, IReadOnlyList<string> Users);
}
