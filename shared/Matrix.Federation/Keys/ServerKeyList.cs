using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage.Federation;

namespace Matrix.Federation;

/// <summary>The signed list of a server's keys (Server-Server API, Publishing keys), read and checked.</summary>
sealed record ServerKeyList(ServerName Server, long ValidUntilTs, IReadOnlyList<StoredServerKey> Keys, byte[] Document)
{
    /// <summary>However long a list says that it is valid, it is not relied on for longer.</summary>
    static readonly long Longest = (long)TimeSpan.FromDays(7).TotalMilliseconds;

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
            var current = keys.ToDictionary(key => key.Id, key => key.Key);
            if (!JsonSignatures.Verify(document, server, id => current.GetValueOrDefault(id)))
                return null;
            keys.AddRange(ReadKeys(root, "old_verify_keys", key => key.GetProperty("expired_ts").GetInt64()).Where(key => !current.ContainsKey(key.Id)));
            return new(server, validUntil, [.. keys.Select(key => new StoredServerKey(server, key.Id, key.Key.ToString(), key.Until, fetched))], document);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ProtocolException)
        {
            return null;
        }
    }

    static List<(KeyId Id, VerifyKey Key, long Until)> ReadKeys(JsonElement root, string member, Func<JsonElement, long> until)
    {
        var keys = new List<(KeyId, VerifyKey, long)>();
        if (root.TryGetProperty(member, out var all))
        {
            foreach (var key in all.EnumerateObject())
            {
                // keys of algorithms to come are nothing to us
                if (KeyId.TryParse(key.Name, out var id) && id.Algorithm == "ed25519" && VerifyKey.TryParse(key.Value.GetProperty("key").GetString() ?? "") is { } parsed)
                    keys.Add((id, parsed, until(key.Value)));
            }
        }
        return keys;
    }
}
