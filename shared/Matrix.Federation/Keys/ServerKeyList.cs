using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage.Federation;

namespace Matrix.Federation;

/// <summary>The signed list of a server's keys (Server-Server API, Publishing keys), read and checked.</summary>
sealed record ServerKeyList(ServerName Server, long ValidUntilTs, IReadOnlyList<StoredServerKey> Keys, byte[] Document)
{
    /// <summary>However long a list says that it is valid, it is not relied on for longer.</summary>
    static readonly long Longest = (long)TimeSpan.FromDays(7).TotalMilliseconds;

    const int MostKeys = 200;

    /// <summary>Null if it is no such list, or not signed by a key in it.</summary>
    public static ServerKeyList? Read(byte[] document, DateTimeOffset now)
    {
        try
        {
            using var json = JsonDocument.Parse(document);
            var root = json.RootElement;
            if (!ServerName.TryParse(root.GetProperty("server_name").GetString(), out var server))
                return null;
            var fetched = now.ToUnixTimeMilliseconds();
            var validUntil = Math.Min(root.GetProperty("valid_until_ts").GetInt64(), fetched + Longest);
            var keys = ReadKeys(root, "verify_keys", _ => validUntil);
            if (!JsonSignatures.Verify(document, server, id => keys.GetValueOrDefault(id).Key))
                return null;
            // they are for events of the past alone: one that is old only later would sign requests, for as long as whoever wrote the list likes
            foreach (var (id, old) in ReadKeys(root, "old_verify_keys", key => Math.Min(key.GetProperty("expired_ts").GetInt64(), fetched - 1)))
                keys.TryAdd(id, old);
            return keys.Count > MostKeys ? null
                : new(server, validUntil, [.. keys.Select(key => new StoredServerKey(server, key.Key, key.Value.Key.ToString(), key.Value.Until, fetched))], document);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ProtocolException)
        {
            return null;
        }
    }

    static Dictionary<KeyId, (VerifyKey Key, long Until)> ReadKeys(JsonElement root, string member, Func<JsonElement, long> until)
    {
        var keys = new Dictionary<KeyId, (VerifyKey, long)>();
        if (root.TryGetProperty(member, out var all))
        {
            foreach (var key in all.EnumerateObject())
            {
                // keys of algorithms to come are nothing to us
                if (KeyId.TryParse(key.Name, out var id) && id.Algorithm == "ed25519" && VerifyKey.TryParse(key.Value.GetProperty("key").GetString() ?? "") is { } parsed
                    && !keys.TryAdd(id, (parsed, until(key.Value))))
                    throw new JsonException("A key stands there twice.");
            }
        }
        return keys;
    }
}
