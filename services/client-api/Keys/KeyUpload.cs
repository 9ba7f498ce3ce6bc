using System.Runtime.InteropServices;
using System.Text.Json;
using Matrix.ClientApi.Sync.Devices;
using Matrix.Http;
using Matrix.Replication;
using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Keys;

/// <summary>Takes the keys that a device publishes (Client-Server API, "Device keys", "One-time and fallback keys").</summary>
sealed class KeyUpload(PublishedKeyCache published, DeviceKeyStore store, OneTimeKeyCounts counts, LogWriter log, LogFollower follower)
{
    /// <summary>Of one request, and of what a device may have lying here of an algorithm.</summary>
    const int MostKeys = 1000, MostStored = 5000;

    public async Task<IReadOnlyDictionary<string, long>> Upload(Requester requester, JsonElement? deviceKeys, JsonElement? oneTimeKeys, JsonElement? fallbackKeys, CancellationToken ct)
    {
        var (userId, deviceId) = (requester.UserId.ToString(), requester.DeviceId.ToString());
        var identity = deviceKeys is { ValueKind: not JsonValueKind.Null } given ? ReadIdentity(given, userId, deviceId) : null;
        if (identity is not null && await IsKnown(identity, userId, deviceId, ct))
            identity = null;
        var fresh = await OnlyNew(userId, deviceId, ReadKeys(oneTimeKeys, "one_time_keys"), ct);
        var fallback = ReadKeys(fallbackKeys, "fallback_keys");
        if (fallback.DistinctBy(key => key.Algorithm).Count() < fallback.Count)
            throw MatrixException.InvalidParam("There may be one fallback key for each algorithm.");
        if (fresh.Count > 0)
            await MustHaveRoom(userId, deviceId, fresh, ct);
        if (identity is not null || fresh.Count > 0 || fallback.Count > 0)
            await follower.WaitFor(await log.Append(new KeysUploaded(userId, deviceId, identity, fresh, fallback), ct), ct);
        return (await counts.Get(userId, deviceId, ct)).OneTimeKeys;
    }

    /// <exception cref="MatrixException">400.</exception>
    public static SignedObject ReadIdentity(JsonElement json, string userId, string deviceId)
    {
        var identity = SignedObject.Read(json, "device_keys");
        if (identity.String("user_id") != userId || identity.String("device_id") != deviceId)
            throw MatrixException.InvalidParam("device_keys must name the user and the device that upload them.");
        if (!json.TryGetProperty("algorithms", out var algorithms) || algorithms.ValueKind != JsonValueKind.Array
            || algorithms.EnumerateArray().Any(algorithm => algorithm.ValueKind != JsonValueKind.String))
            throw MatrixException.InvalidParam("device_keys.algorithms must be a list of names.");
        if (!json.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Object
            || keys.EnumerateObject().Any(key => key.Value.ValueKind != JsonValueKind.String || !SignedObject.IsText(key.Name)))
            throw MatrixException.InvalidParam("device_keys.keys must be an object of strings.");
        return identity;
    }

    // What is uploaded again, with no signature that is new, changes nothing that others would have to be told.
    async Task<bool> IsKnown(SignedObject identity, string userId, string deviceId, CancellationToken ct)
    {
        await published.CatchUp(ct);
        var device = (await published.Get(userId, ct)).Devices.FirstOrDefault(device => device.DeviceId == deviceId);
        if (device is null || !identity.Keys.AsSpan().SequenceEqual(device.Keys))
            return false;
        var known = SignedObject.Read(JsonElement.Parse(device.Encoded), "device_keys");
        return (identity.Signatures?.EnumerateObject() ?? default).All(entity => entity.Value.EnumerateObject().All(signature =>
            known.Of(entity.Name) is { } own && own.TryGetProperty(signature.Name, out var stored) && stored.GetString() == signature.Value.GetString()));
    }

    /// <exception cref="MatrixException">400, 413.</exception>
    public static List<UploadedKey> ReadKeys(JsonElement? json, string name)
    {
        if (json is not { ValueKind: not JsonValueKind.Null } keys)
            return [];
        if (keys.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson($"{name} must be an object.");
        var read = new Dictionary<(string, string), UploadedKey>();
        foreach (var key in keys.EnumerateObject())
        {
            var colon = key.Name.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1 || colon == key.Name.Length - 1 || !SignedObject.IsText(key.Name))
                throw MatrixException.InvalidParam($"{name}: the name of a key is algorithm:key_id.");
            var value = key.Value.ValueKind is JsonValueKind.Object or JsonValueKind.String
                ? JsonMarshal.GetRawUtf8Value(key.Value).ToArray()
                : throw MatrixException.BadJson($"{name}: a key is a string or an object.");
            read[(key.Name[..colon], key.Name[(colon + 1)..])] = new UploadedKey(key.Name[..colon], key.Name[(colon + 1)..], value);
        }
        return read.Count <= MostKeys ? [.. read.Values] : throw MatrixException.TooLarge($"{name}: there are too many keys.");
    }

    async Task<IReadOnlyList<UploadedKey>> OnlyNew(string userId, string deviceId, List<UploadedKey> keys, CancellationToken ct)
    {
        if (keys.Count == 0)
            return keys;
        var stored = await store.ListOneTimeKeys(userId, deviceId, [.. keys.Select(key => key.Algorithm).Distinct()], [.. keys.Select(key => key.KeyId)], ct);
        var known = stored.ToDictionary(key => (key.Algorithm, key.KeyId), key => key.Key);
        var fresh = new List<UploadedKey>(keys.Count);
        foreach (var key in keys)
        {
            if (!known.TryGetValue((key.Algorithm, key.KeyId), out var old))
                fresh.Add(key);
            else if (!IsSame(old, key.Key))
                throw MatrixException.InvalidParam($"One time key {key.Algorithm}:{key.KeyId} already exists.");
        }
        return fresh;
    }

    static bool IsSame(byte[] one, byte[] other) => one.AsSpan().SequenceEqual(other)
        || Matrix.Protocol.CanonicalJson.Canonicalize(one, Matrix.Protocol.JsonRules.Relaxed).AsSpan()
            .SequenceEqual(Matrix.Protocol.CanonicalJson.Canonicalize(other, Matrix.Protocol.JsonRules.Relaxed));

    async Task MustHaveRoom(string userId, string deviceId, IReadOnlyList<UploadedKey> fresh, CancellationToken ct)
    {
        var stored = (await counts.Get(userId, deviceId, ct)).OneTimeKeys;
        if (fresh.GroupBy(key => key.Algorithm).Any(keys => stored.GetValueOrDefault(keys.Key) + keys.Count() > MostStored))
            throw MatrixException.TooLarge("This device has too many one-time keys already.");
    }
}
