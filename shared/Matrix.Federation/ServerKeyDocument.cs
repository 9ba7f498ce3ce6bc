using System.Text.Json;
using Matrix.Protocol;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

/// <summary>The keys that we publish, signed by ourselves (Server-Server API, Retrieving server keys).</summary>
public sealed class ServerKeyDocument(ServerSigningKey own, IOptions<FederationOptions> options, TimeProvider time)
{
    /// <summary>The body of <c>GET /_matrix/key/v2/server</c>, valid for <see cref="FederationOptions.KeyRefreshInterval"/> from now.</summary>
    public byte[] Create()
    {
        var document = new
        {
            server_name = own.ServerName.ToString(),
            verify_keys = new Dictionary<string, object> { [own.Key.KeyId.ToString()] = new { key = own.Key.VerifyKey.ToString() } },
            old_verify_keys = options.Value.OldSigningKeys.ToDictionary(old => old.Key, old => new { key = old.Value.Key, expired_ts = old.Value.ExpiredTs }),
            valid_until_ts = (time.GetUtcNow() + options.Value.KeyRefreshInterval).ToUnixTimeMilliseconds(),
        };
        return JsonSignatures.Sign(JsonSerializer.SerializeToUtf8Bytes(document), own.ServerName, own.Key);
    }
}
