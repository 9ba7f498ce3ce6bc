using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Keys;

/// <summary>A signed JSON object as a client uploads it, taken apart: what is signed, and by whom.</summary>
/// <param name="Keys">The object without <c>signatures</c> and <c>unsigned</c>; values are as they were sent.</param>
/// <param name="Signatures">JSON: by entity, by key id.</param>
sealed record SignedObject(JsonElement Json, byte[] Keys, JsonElement? Signatures)
{
    const int MostSignatures = 1000;

    /// <exception cref="MatrixException">400: not an object, or signatures that are none.</exception>
    public static SignedObject Read(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson($"{name} must be an object.");
        JsonElement? signatures = json.TryGetProperty("signatures", out var found) && found.ValueKind != JsonValueKind.Null ? found : null;
        if (signatures is { } given && !AreSignatures(given))
            throw MatrixException.BadJson($"{name}.signatures must be an object of objects of strings.");
        return new SignedObject(json, Strip(json), signatures);
    }

    public string SignaturesText => Signatures?.GetRawText() ?? "{}";

    /// <summary>The signatures of one entity as JSON; null when there is none.</summary>
    public JsonElement? Of(string entity) => Signatures is { } all && all.TryGetProperty(entity, out var own) ? own : null;

    public bool IsSignedBy(string entity, Func<KeyId, VerifyKey?> findKey) => JsonSignatures.Verify(JsonMarshal.GetRawUtf8Value(Json), entity, findKey);

    /// <summary>A string member; null when it is not there or no text that can be stored.</summary>
    public string? String(string name) =>
        Json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { } text && IsText(text) ? text : null;

    /// <summary>Are these the same keys, however they are written?</summary>
    public bool HasKeys(byte[] others) => Keys.AsSpan().SequenceEqual(others)
        || CanonicalJson.Canonicalize(Keys, JsonRules.Relaxed).AsSpan().SequenceEqual(CanonicalJson.Canonicalize(others, JsonRules.Relaxed));

    /// <summary>Can Postgres store it, and is it of a size that a name has?</summary>
    public static bool IsText(string text) => text.Length is > 0 and <= 512 && !text.Contains('\0', StringComparison.Ordinal) && Encoding.UTF8.GetByteCount(text) <= 512;

    static bool AreSignatures(JsonElement signatures)
    {
        if (signatures.ValueKind != JsonValueKind.Object)
            return false;
        var count = 0;
        foreach (var entity in signatures.EnumerateObject())
        {
            if (entity.Value.ValueKind != JsonValueKind.Object || !IsText(entity.Name))
                return false;
            foreach (var signature in entity.Value.EnumerateObject())
            {
                if (!IsText(signature.Name) || signature.Value.ValueKind != JsonValueKind.String || !IsText(signature.Value.GetString()!) || ++count > MostSignatures)
                    return false;
            }
        }
        return true;
    }

    static byte[] Strip(JsonElement json)
    {
        var output = new ArrayBufferWriter<byte>(256);
        var to = new JsonSplicer(output);
        var first = true;
        to.Raw("{"u8);
        foreach (var member in json.EnumerateObject())
        {
            if (member.NameEquals("signatures"u8) || member.NameEquals("unsigned"u8))
                continue;
            to.Name(ref first, member.Name);
            to.Raw(JsonMarshal.GetRawUtf8Value(member.Value));
        }
        to.Raw("}"u8);
        return output.WrittenSpan.ToArray();
    }
}
