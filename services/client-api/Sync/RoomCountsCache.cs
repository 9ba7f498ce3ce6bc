using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Counts and heroes of rooms, until the log announces a membership event in the room.</summary>
sealed class RoomCountsCache(SyncStore store, Caches caches)
{
    readonly BoundedCache<long, RoomCounts> cache = caches.Create<long, RoomCounts>(
        "room_counts", 8 << 20, (_, counts) => 80 + counts.Heroes.Sum(Caches.WeightOf));
    int generation;

    public void Changed(long roomNid)
    {
        Interlocked.Increment(ref generation);
        cache.Remove(roomNid);
    }

    public async Task<Dictionary<long, RoomCounts>> Get(IReadOnlyCollection<long> rooms, CancellationToken ct)
    {
        var found = new Dictionary<long, RoomCounts>();
        var missing = new List<long>();
        foreach (var room in rooms)
        {
            if (cache.TryGet(room, out var counts))
                found[room] = counts;
            else
                missing.Add(room);
        }
        if (missing.Count == 0)
            return found;
        var before = Volatile.Read(ref generation);
        foreach (var counts in await store.ListCounts([.. missing], ct))
        {
            found[counts.RoomNid] = counts;
            cache.Set(counts.RoomNid, counts, ref generation, before);
        }
        return found;
    }
}
