using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Devices;
using Matrix.Storage.Federation;

namespace Matrix.ClientApi.Keys;

/// <summary>
/// The keys of other servers' users. What a server has answered is kept as long as it tells of every change (<c>m.device_list_update</c>), which it does
/// while its user shares a room with one of this server; otherwise it is asked, all servers at the same time, each once for all its users.
/// </summary>
sealed partial class RemoteKeys(FederationClient client, RemoteKeyStore store, ILogger<RemoteKeys> logger)
{
    const int LargestUser = 1 << 20;
    static readonly TimeSpan Default = TimeSpan.FromSeconds(10);

    /// <param name="failures">Receives the servers that could not be asked.</param>
    /// <returns>Everything that these users publish, as far as it was to be had.</returns>
    public async Task<Dictionary<string, UserKeys>> Query(UserId asker, IReadOnlyCollection<UserId> users, TimeSpan? timeout, ISet<string> failures, CancellationToken ct)
    {
        var found = new Dictionary<string, UserKeys>(StringComparer.Ordinal);
        if (users.Count == 0)
            return found;
        var known = (await store.List([.. users.Select(user => user.ToString())], asker.ToString(), ct)).ToDictionary(row => row.UserId, StringComparer.Ordinal);
        foreach (var row in known.Values.Where(row => row.Keys is not null))
            found[row.UserId] = Read(row.UserId, JsonElement.Parse(row.Keys!));
        var answers = new ConcurrentDictionary<string, UserAnswer>(StringComparer.Ordinal);
        var failed = new ConcurrentBag<string>();
        await Task.WhenAll(users.Where(user => !found.ContainsKey(user.ToString())).GroupBy(user => user.Server).Select(async server =>
        {
            if (!await Ask(server.Key, [.. server], timeout ?? Default, answers, ct))
                failed.Add(server.Key.ToString());
        }));
        failures.UnionWith(failed);
        if (answers.IsEmpty)
            return found;
        foreach (var (user, answer) in answers)
            found[user] = answer.Keys;
        await Keep(answers, known, ct);
        return found;
    }

    /// <summary>Asks servers for one-time keys; each is given out by its own server.</summary>
    /// <param name="failures">Receives the servers that could not be asked.</param>
    public async Task<IReadOnlyList<ClaimedKey>> Claim(IReadOnlyCollection<(UserId User, string Device, string Algorithm)> wishes, TimeSpan? timeout,
        ISet<string> failures, CancellationToken ct)
    {
        var claimed = new ConcurrentBag<ClaimedKey>();
        var failed = new ConcurrentBag<string>();
        await Task.WhenAll(wishes.GroupBy(wish => wish.User.Server).Select(async server =>
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
            {
                ["one_time_keys"] = server.GroupBy(wish => wish.User).ToDictionary(
                    user => user.Key.ToString(), user => user.DistinctBy(wish => wish.Device).ToDictionary(wish => wish.Device, wish => wish.Algorithm)),
            });
            try
            {
                var answer = await client.Post<JsonElement>(server.Key, "/_matrix/federation/v1/user/keys/claim", body, ct, Limits(timeout ?? Default));
                foreach (var key in Claimed(answer, server.ToLookup(wish => (wish.User.ToString(), wish.Device), wish => wish.Algorithm)))
                    claimed.Add(key);
            }
            catch (FederationException e)
            {
                NotAsked(server.Key, e.Message);
                failed.Add(server.Key.ToString());
            }
        }));
        failures.UnionWith(failed);
        return [.. claimed];
    }

    static FederationRequest Limits(TimeSpan timeout) => new() { Timeout = timeout < Default ? timeout : Default, MaxBytes = 16 << 20 };

    async Task<bool> Ask(ServerName server, UserId[] users, TimeSpan timeout, ConcurrentDictionary<string, UserAnswer> answers, CancellationToken ct)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            ["device_keys"] = users.ToDictionary(user => user.ToString(), _ => Array.Empty<string>()),
        });
        try
        {
            var answer = await client.Post<JsonElement>(server, "/_matrix/federation/v1/user/keys/query", body, ct, Limits(timeout));
            foreach (var user in users.Select(user => user.ToString()))
            {
                var stored = Encode(user, answer);
                if (stored.Length <= LargestUser)
                    answers[user] = new UserAnswer(stored, Read(user, JsonElement.Parse(stored)));
            }
            return true;
        }
        catch (FederationException e)
        {
            NotAsked(server, e.Message);
            return false;
        }
    }

    Task<int> Keep(ConcurrentDictionary<string, UserAnswer> answers, Dictionary<string, RemoteUserKeys> known, CancellationToken ct)
    {
        string[] users = [.. answers.Keys];
        return store.Store(users, [.. users.Select(user => answers[user].Stored)], [.. users.Select(user => known[user].Generation)],
            known[users[0]].LogPosition, ct);
    }

    // What is not of the form that clients rely on is not theirs to see.
    static byte[] Encode(string userId, JsonElement answer)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteStartObject("device_keys"u8);
        foreach (var device in Object(answer, "device_keys", userId)?.EnumerateObject() ?? default)
        {
            if (Text(device.Value, "user_id") != userId || Text(device.Value, "device_id") != device.Name)
                continue;
            json.WritePropertyName(device.Name);
            device.Value.WriteTo(json);
        }
        json.WriteEndObject();
        foreach (var (from, name) in new[] { ("master_keys", "master_key"), ("self_signing_keys", "self_signing_key") })
        {
            if (Object(answer, from, userId) is not { } key || Text(key, "user_id") != userId)
                continue;
            json.WritePropertyName(name);
            key.WriteTo(json);
        }
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    static UserKeys Read(string userId, JsonElement stored)
    {
        var devices = new List<DeviceIdentity>();
        foreach (var device in stored.GetProperty("device_keys").EnumerateObject())
        {
            if (Take(device.Value) is { } keys)
                devices.Add(new DeviceIdentity(device.Name, keys.Keys, Encoding.UTF8.GetBytes(device.Value.GetRawText())));
        }
        return new UserKeys(devices, Key("master_key"), Key("self_signing_key"), null);

        CrossSigningKey? Key(string name) => stored.TryGetProperty(name, out var json) && Text(json, "user_id") == userId && Take(json) is { } key
            && json.TryGetProperty("keys", out var byId) && byId.ValueKind == JsonValueKind.Object && byId.EnumerateObject().All(k => k.Value.ValueKind == JsonValueKind.String)
            ? new CrossSigningKey(key.Keys, Encoding.UTF8.GetBytes(key.SignaturesText)) : null;
    }

    static SignedObject? Take(JsonElement json)
    {
        try
        {
            return SignedObject.Read(json, "keys");
        }
        catch (MatrixException)
        {
            return null; // signatures that are none
        }
    }

    static IEnumerable<ClaimedKey> Claimed(JsonElement answer, ILookup<(string, string), string> wanted)
    {
        if (Object(answer, "one_time_keys") is not { } users)
            yield break;
        foreach (var user in users.EnumerateObject().Where(user => user.Value.ValueKind == JsonValueKind.Object))
        {
            foreach (var device in user.Value.EnumerateObject().Where(device => device.Value.ValueKind == JsonValueKind.Object))
            {
                if (wanted[(user.Name, device.Name)].FirstOrDefault() is not { } algorithm)
                    continue;
                foreach (var key in device.Value.EnumerateObject().Where(key => key.Name.StartsWith($"{algorithm}:", StringComparison.Ordinal)).Take(1))
                    yield return new ClaimedKey(user.Name, device.Name, algorithm, key.Name[(algorithm.Length + 1)..], Encoding.UTF8.GetBytes(key.Value.GetRawText()));
            }
        }
    }

    static JsonElement? Object(JsonElement json, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out json))
                return null;
        }
        return json.ValueKind == JsonValueKind.Object ? json : null;
    }

    static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    sealed record UserAnswer(byte[] Stored, UserKeys Keys);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Server} was not asked for keys: {Reason}")]
    partial void NotAsked(ServerName server, string reason);
}
