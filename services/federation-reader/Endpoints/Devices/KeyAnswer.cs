using System.Buffers;
using System.Text.Json;
using Matrix.Storage.Keys;

namespace Matrix.FederationReader.Endpoints.Devices;

/// <summary>Answers with keys: they go in as they are stored.</summary>
static class KeyAnswer
{
    public static IResult Write(Action<Utf8JsonWriter> members)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
        json.Flush();
        return Results.Bytes(output.WrittenMemory, "application/json");
    }

    /// <summary>A user's cross-signing key, if there is one.</summary>
    public static void CrossSigning(Utf8JsonWriter json, string name, IEnumerable<PublishedKeys> keys, string usage)
    {
        if (keys.FirstOrDefault(key => key.Usage == usage) is not { } key)
            return;
        json.WritePropertyName(name);
        PublishedKeysJson.Write(json, key);
    }
}
