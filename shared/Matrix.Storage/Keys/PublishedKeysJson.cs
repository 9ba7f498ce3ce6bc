using System.Buffers;
using System.Text.Json;

namespace Matrix.Storage.Keys;

/// <summary>Keys as they are shown to other servers: what was uploaded, with the signatures, and without the device's name.</summary>
public static class PublishedKeysJson
{
    public static void Write(Utf8JsonWriter json, PublishedKeys keys)
    {
        json.WriteStartObject();
        Members(json, keys.Keys);
        json.WritePropertyName("signatures"u8);
        json.WriteRawValue(keys.Signatures, skipInputValidation: true);
        json.WriteEndObject();
    }

    public static byte[] Encode(PublishedKeys keys)
    {
        var output = new ArrayBufferWriter<byte>(keys.Keys.Length + keys.Signatures.Length + 50);
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        Write(json, keys);
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    static void Members(Utf8JsonWriter json, byte[] keys)
    {
        foreach (var member in JsonElement.Parse(keys).EnumerateObject())
            member.WriteTo(json);
    }
}
