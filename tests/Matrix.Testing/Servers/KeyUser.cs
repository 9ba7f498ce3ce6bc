using System.Text;
using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.Testing.Servers;

/// <summary>A user's device with identity keys, and the user's cross-signing keys, made and signed as a client does.</summary>
public sealed class KeyUser(User user) : IDisposable
{
    public const string V3 = "/_matrix/client/v3";
    public const string Signed = "signed_curve25519";
    static int s_transactions;

    public SigningKey DeviceKey { get; } = SigningKey.Generate(user.DeviceId);

    public SigningKey Master { get; } = Named(out _);

    public SigningKey SelfSigning { get; } = Named(out _);

    public SigningKey UserSigning { get; } = Named(out _);

    public User User => user;

    public string Id => user.UserId;

    public string Device => user.DeviceId;

    public static async Task<KeyUser> Create(MatrixServer server)
    {
        var user = new KeyUser(await server.NewUser());
        await user.UploadDevice();
        return user;
    }

    public JsonElement DeviceKeys(string algorithm = "m.megolm.v1.aes-sha2") => Sign(
        new { user_id = Id, device_id = Device, algorithms = new[] { algorithm }, keys = new Dictionary<string, string> { [$"ed25519:{Device}"] = DeviceKey.VerifyKey.ToString() } },
        DeviceKey);

    public async Task<Reply> UploadDevice() => (await user.Post($"{V3}/keys/upload", new { device_keys = DeviceKeys() })).Ok();

    public async Task<Reply> UploadOneTime(params string[] ids) => (await user.Post($"{V3}/keys/upload", new
    {
        one_time_keys = ids.ToDictionary(id => $"{Signed}:{id}", id => new { key = $"key-{id}" }),
    })).Ok();

    public async Task<Reply> UploadFallback(string id) => (await user.Post($"{V3}/keys/upload", new
    {
        fallback_keys = new Dictionary<string, object> { [$"{Signed}:{id}"] = new { key = $"key-{id}", fallback = true } },
    })).Ok();

    public Task<Reply> Claim(KeyUser other, string algorithm = Signed) => user.Post($"{V3}/keys/claim", new
    {
        one_time_keys = new Dictionary<string, object> { [other.Id] = new Dictionary<string, string> { [other.Device] = algorithm } },
    });

    /// <summary>The id of the key that was claimed; null when none was to be had.</summary>
    public async Task<string?> ClaimedId(KeyUser other)
    {
        var reply = (await Claim(other)).Ok();
        return reply["one_time_keys"].Find(other.Id)?.Find(other.Device)?.EnumerateObject().Single().Name;
    }

    public Task<Reply> Query(params string[] users) => user.Post($"{V3}/keys/query", new { device_keys = users.ToDictionary(id => id, _ => Array.Empty<string>()) });

    public Task<Reply> UploadCrossSigning(object? auth = null, SigningKey? master = null) => user.Post($"{V3}/keys/device_signing/upload", new
    {
        auth,
        master_key = CrossKey("master", master ?? Master, null),
        self_signing_key = CrossKey("self_signing", SelfSigning, master ?? Master),
        user_signing_key = CrossKey("user_signing", UserSigning, master ?? Master),
    });

    public JsonElement CrossKey(string usage, SigningKey key, SigningKey? by)
    {
        var name = key.VerifyKey.ToString();
        var json = new { user_id = Id, usage = new[] { usage }, keys = new Dictionary<string, string> { [$"ed25519:{name}"] = name } };
        return by is null ? JsonSerializer.SerializeToElement(json) : Sign(json, by);
    }

    /// <summary>The object with the signature of one of this user's keys.</summary>
    public JsonElement Sign(object json, SigningKey key) =>
        JsonElement.Parse(JsonSignatures.Sign(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(json)), Id, key));

    public async Task<Reply> SendToDevice(string type, object messages, string? txnId = null) =>
        await user.Put($"{V3}/sendToDevice/{type}/{txnId ?? $"t{Interlocked.Increment(ref s_transactions)}"}", new { messages });

    public static Dictionary<string, Dictionary<string, object>> To(string user, string device, object content) =>
        new() { [user] = new() { [device] = content } };

    /// <summary>The contents of the messages to this device in an answer.</summary>
    public static IReadOnlyList<string> Messages(SyncReply sync) =>
        [.. (sync.Json.Find("to_device.events")?.Items() ?? []).Select(e => e.String("content.body"))];

    public static IReadOnlyList<string> Changed(SyncReply sync, string list = "changed") =>
        [.. (sync.Json.Find($"device_lists.{list}")?.Items() ?? []).Select(id => id.GetString()!)];

    public static long Count(SyncReply sync) => sync.Json.At("device_one_time_keys_count").At(Signed).GetInt64();

    public void Dispose()
    {
        DeviceKey.Dispose();
        Master.Dispose();
        SelfSigning.Dispose();
        UserSigning.Dispose();
    }

    // A cross-signing key is named by its own public half.
    static SigningKey Named(out string name)
    {
        var seed = System.Security.Cryptography.RandomNumberGenerator.GetBytes(32);
        using var unnamed = SigningKey.FromSeed("x", seed);
        name = unnamed.VerifyKey.ToString();
        return SigningKey.FromSeed(name, seed);
    }
}
