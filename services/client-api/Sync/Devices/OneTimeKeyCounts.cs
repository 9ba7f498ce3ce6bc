using Matrix.Replication;
using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Sync.Devices;

/// <summary>What a device has left of its one-time keys, and the algorithms of its unused fallback keys.</summary>
sealed record DeviceKeyCounts(IReadOnlyDictionary<string, long> OneTimeKeys, IReadOnlyList<string> UnusedFallback)
{
    // Clients take a missing count for "unknown", and would never upload again once all were given out.
    const string Usual = "signed_curve25519";

    public static readonly DeviceKeyCounts None = new(new Dictionary<string, long> { [Usual] = 0 }, []);

    public static DeviceKeyCounts Of(IEnumerable<KeyCount> counts)
    {
        var keys = new Dictionary<string, long>(StringComparer.Ordinal) { [Usual] = 0 };
        var fallback = new List<string>();
        foreach (var count in counts)
        {
            if (count.Fallback)
                fallback.Add(count.Algorithm);
            else
                keys[count.Algorithm] = count.Count;
        }
        return new DeviceKeyCounts(keys, fallback);
    }
}

/// <summary>
/// The counts of devices' keys, read for all devices of a user at once. The log says when they change, so what is remembered holds as of the
/// follower's position.
/// </summary>
sealed class OneTimeKeyCounts : IDisposable
{
    readonly BoundedCache<string, IReadOnlyDictionary<string, DeviceKeyCounts>> cache;
    readonly DeviceKeyStore store;
    readonly IDisposable subscription;
    int generation;

    public OneTimeKeyCounts(DeviceKeyStore store, LogFollower follower, Caches caches)
    {
        cache = caches.Create<string, IReadOnlyDictionary<string, DeviceKeyCounts>>(
            "one_time_key_counts", 8 << 20, (user, devices) => Caches.WeightOf(user) + 500L * devices.Count);
        this.store = store;
        subscription = follower.Subscribe(Apply);
    }

    public void Dispose() => subscription.Dispose();

    public async ValueTask<DeviceKeyCounts> Get(string userId, string deviceId, CancellationToken ct)
    {
        if (!cache.TryGet(userId, out var devices))
        {
            var before = Volatile.Read(ref generation);
            devices = (await store.CountKeys(userId, ct)).GroupBy(count => count.DeviceId)
                .ToDictionary(device => device.Key, DeviceKeyCounts.Of, StringComparer.Ordinal);
            cache.Set(userId, devices, ref generation, before);
        }
        return devices.GetValueOrDefault(deviceId, DeviceKeyCounts.None);
    }

    void Apply(IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry is not { Kind: LogKind.OneTimeKeys or LogKind.DeviceList, UserId: { } userId })
                continue;
            Interlocked.Increment(ref generation);
            cache.Remove(userId);
        }
    }
}
