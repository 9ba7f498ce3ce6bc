using System.Text;
using Matrix.Replication;
using Matrix.Storage.Keys;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Keys;

/// <summary>A cross-signing key as it is stored.</summary>
/// <param name="Signatures">JSON: by entity, by key id.</param>
sealed record CrossSigningKey(byte[] Keys, byte[] Signatures);

/// <summary>The keys of a device as it is stored.</summary>
/// <param name="Encoded">As it is shown: with signatures and the device's name.</param>
sealed record DeviceIdentity(string DeviceId, byte[] Keys, byte[] Encoded);

/// <summary>Everything that a user publishes.</summary>
sealed record UserKeys(IReadOnlyList<DeviceIdentity> Devices, CrossSigningKey? Master, CrossSigningKey? SelfSigning, CrossSigningKey? UserSigning)
{
    public static readonly UserKeys None = new([], null, null, null);

    public long Weight => 200 + Devices.Sum(device => 200L + device.Keys.Length + device.Encoded.Length)
        + 2 * ((Master?.Keys.Length ?? 0) + (SelfSigning?.Keys.Length ?? 0) + (UserSigning?.Keys.Length ?? 0));

    public static UserKeys Of(IEnumerable<PublishedKeys> published)
    {
        var devices = new List<DeviceIdentity>();
        var cross = new Dictionary<string, CrossSigningKey>(StringComparer.Ordinal);
        foreach (var keys in published)
        {
            var signatures = Encoding.UTF8.GetBytes(keys.Signatures);
            if (keys.DeviceId is { } deviceId)
                devices.Add(new DeviceIdentity(deviceId, keys.Keys, KeyWriter.Device(keys.Keys, signatures, keys.DisplayName)));
            else
                cross[keys.Usage!] = new CrossSigningKey(keys.Keys, signatures);
        }
        return new UserKeys(devices, cross.GetValueOrDefault("master"), cross.GetValueOrDefault("self_signing"), cross.GetValueOrDefault("user_signing"));
    }
}

/// <summary>
/// The keys that local users publish, encoded for answers, and the signatures that they put on others' keys. The log says when they change. An
/// answer must not be older than what the client was told of elsewhere, so a reader first makes sure that this process has heard
/// of all that is committed (<see cref="CatchUp"/>): one look at the log's head.
/// </summary>
sealed class PublishedKeyCache : IDisposable
{
    readonly BoundedCache<string, UserKeys> users;
    readonly BoundedCache<string, IReadOnlyDictionary<string, SignedKey[]>> signatures;
    readonly DeviceKeyStore store;
    readonly SyncStore sync;
    readonly LogFollower follower;
    readonly IDisposable subscription;
    int generation;

    public PublishedKeyCache(DeviceKeyStore store, SyncStore sync, LogFollower follower, Caches caches)
    {
        users = caches.Create<string, UserKeys>("published_keys", 32 << 20, (user, keys) => Caches.WeightOf(user) + keys.Weight);
        signatures = caches.Create<string, IReadOnlyDictionary<string, SignedKey[]>>(
            "key_signatures", 8 << 20, (user, targets) => Caches.WeightOf(user) + 500L * targets.Count);
        (this.store, this.sync, this.follower) = (store, sync, follower);
        subscription = follower.Subscribe(Apply);
    }

    public void Dispose() => subscription.Dispose();

    /// <summary>From now on what is read here is as new as the database was when this was called.</summary>
    public async Task CatchUp(CancellationToken ct)
    {
        if (await sync.FindLogHead(ct) is { } head)
            await follower.WaitFor(new LogPosition(head), ct);
    }

    public async ValueTask<UserKeys> Get(string userId, CancellationToken ct) => (await Get([userId], ct))[userId];

    public async ValueTask<Dictionary<string, UserKeys>> Get(IReadOnlyCollection<string> userIds, CancellationToken ct)
    {
        var found = new Dictionary<string, UserKeys>(userIds.Count, StringComparer.Ordinal);
        List<string>? missing = null;
        foreach (var userId in userIds)
        {
            if (users.TryGet(userId, out var keys))
                found[userId] = keys;
            else
                (missing ??= []).Add(userId);
        }
        if (missing is null)
            return found;
        var before = Volatile.Read(ref generation);
        var stored = (await store.List([.. missing], ct)).ToLookup(keys => keys.UserId, StringComparer.Ordinal);
        foreach (var userId in missing)
        {
            found[userId] = stored.Contains(userId) ? UserKeys.Of(stored[userId]) : UserKeys.None;
            users.Set(userId, found[userId], ref generation, before);
        }
        return found;
    }

    /// <summary>What a user has signed of others: by the user whose key it is.</summary>
    public async ValueTask<IReadOnlyDictionary<string, SignedKey[]>> GetSignatures(string signer, CancellationToken ct)
    {
        if (signatures.TryGet(signer, out var found))
            return found;
        var before = Volatile.Read(ref generation);
        found = (await store.ListSignatures(signer, ct)).GroupBy(key => key.Target).ToDictionary(target => target.Key, target => target.ToArray(), StringComparer.Ordinal);
        signatures.Set(signer, found, ref generation, before);
        return found;
    }

    void Apply(IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry is not { Kind: LogKind.DeviceList, UserId: { } userId })
                continue;
            Interlocked.Increment(ref generation);
            users.Remove(userId);
            signatures.Remove(userId);
        }
    }
}
