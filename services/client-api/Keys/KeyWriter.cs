using System.Buffers;
using System.Text;
using System.Text.Json;
using Matrix.ClientApi.Sync;
using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Keys;

/// <summary>Puts stored keys back together: bytes are spliced, nothing is parsed.</summary>
static class KeyWriter
{
    public static byte[] Device(ReadOnlySpan<byte> keys, ReadOnlySpan<byte> signatures, string? displayName)
    {
        var output = new ArrayBufferWriter<byte>(keys.Length + signatures.Length + 100);
        var to = new JsonSplicer(output);
        Open(to, keys);
        to.Raw("\"signatures\":"u8);
        to.Raw(signatures);
        if (displayName is not null)
        {
            to.Raw(",\"unsigned\":{\"device_display_name\":"u8);
            to.String(displayName);
            to.Raw("}"u8);
        }
        to.Raw("}"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <param name="signer">Who asks, with what they have signed of this key; null when that is nothing.</param>
    public static void CrossSigning(JsonSplicer to, CrossSigningKey key, string signer, SignedKey? signed)
    {
        Open(to, key.Keys);
        to.Raw("\"signatures\":"u8);
        if (signed is null)
            to.Raw(key.Signatures);
        else
        {
            Open(to, key.Signatures);
            to.String(signer);
            to.Raw(":"u8);
            to.Raw(Encoding.UTF8.GetBytes(signed.Signatures));
            to.Raw("}"u8);
        }
        to.Raw("}"u8);
    }

    /// <summary>The public part of a cross-signing key.</summary>
    public static string? PublicKey(ReadOnlySpan<byte> keys)
    {
        var json = JsonElement.Parse(keys);
        return json.TryGetProperty("keys", out var byId) && byId.ValueKind == JsonValueKind.Object
            ? byId.EnumerateObject().Select(key => key.Value.GetString()).FirstOrDefault()
            : null;
    }

    // Everything but the closing brace, ready for one more member.
    static void Open(JsonSplicer to, ReadOnlySpan<byte> json)
    {
        var open = json[..json.LastIndexOf((byte)'}')].TrimEnd((byte)' ');
        to.Raw(open);
        if (open[^1] != '{')
            to.Raw(","u8);
    }
}
