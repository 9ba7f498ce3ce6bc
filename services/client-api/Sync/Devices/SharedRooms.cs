using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Sync.Devices;

/// <summary>The rooms that users are in, also of those who do not sync here, until the log announces another membership of theirs.</summary>
sealed class SharedRooms(DeviceListStore store, Caches caches) : IDisposable
{
    readonly BoundedCache<string, long[]> cache = caches.Create<string, long[]>(
        "shared_rooms", 8 << 20, (user, rooms) => Caches.WeightOf(user) + 24 + 8L * rooms.Length);
    readonly SemaphoreSlim fetching = new(1);
    int generation;

    public void Dispose() => fetching.Dispose();

    /// <summary>The user's membership of a room may have changed.</summary>
    public void Changed(string userId)
    {
        Interlocked.Increment(ref generation);
        cache.Remove(userId);
    }

    /// <summary>This server has come to a room, or now knows who is there: that concerns all of its members, whom the log does not name.</summary>
    public void Forget()
    {
        Interlocked.Increment(ref generation);
        cache.Clear();
    }

    /// <summary>The rooms of a user who syncs here: they are known. In the order of the log, as <see cref="Changed"/>.</summary>
    public void Set(string userId, long[] rooms) => cache.Set(userId, rooms);

    public async ValueTask<Dictionary<string, long[]>> Get(IReadOnlyCollection<string> users, CancellationToken ct)
    {
        var found = new Dictionary<string, long[]>(StringComparer.Ordinal);
        if (Take(users, found).Count == 0)
            return found;
        // whoever shares a room is asked about it at the same moment: one asks, the others find it
        await fetching.WaitAsync(ct);
        try
        {
            var missing = Take(users, found);
            if (missing.Count == 0)
                return found;
            var before = Volatile.Read(ref generation);
            var fetched = (await store.ListRooms([.. missing], ct)).ToDictionary(user => user.UserId, user => user.Rooms, StringComparer.Ordinal);
            foreach (var user in missing)
            {
                found[user] = fetched.GetValueOrDefault(user) ?? [];
                cache.Set(user, found[user], ref generation, before);
            }
            return found;
        }
        finally
        {
            fetching.Release();
        }
    }

    List<string> Take(IReadOnlyCollection<string> users, Dictionary<string, long[]> found)
    {
        var missing = new List<string>();
        foreach (var user in users)
        {
            if (cache.TryGet(user, out var rooms))
                found[user] = rooms;
            else
                missing.Add(user);
        }
        return missing;
    }
}
