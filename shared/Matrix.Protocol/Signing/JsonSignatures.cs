using System.Buffers;

namespace Matrix.Protocol;

/// <summary>Signed JSON objects (Appendices, Signing JSON). <c>signatures</c> and <c>unsigned</c> are not covered by a signature.</summary>
public static class JsonSignatures
{
    /// <summary>The object in canonical form with this signature added to <c>signatures</c>.</summary>
    /// <param name="json">An object, in any form.</param>
    /// <param name="entity">Who signs: a server name, or a user id for cross-signing.</param>
    /// <exception cref="InvalidJsonException">Not an object, or without a canonical form.</exception>
    public static byte[] Sign(ReadOnlySpan<byte> json, string entity, SigningKey key)
    {
        var canonical = Canonicalize(json);
        return Add(canonical, entity, key.KeyId, key.Sign(JsonObjectEditor.Without(canonical, "signatures", "unsigned")));
    }

    /// <inheritdoc cref="Sign(ReadOnlySpan{byte}, string, SigningKey)"/>
    public static byte[] Sign(ReadOnlySpan<byte> json, ServerName server, SigningKey key) => Sign(json, server.ToString(), key);

    /// <summary>This key's signature of the object, in unpadded base64, for protocols that send it beside the object.</summary>
    /// <param name="json">An object, in any form.</param>
    /// <exception cref="InvalidJsonException">Not an object, or without a canonical form.</exception>
    public static string Signature(ReadOnlySpan<byte> json, SigningKey key) =>
        UnpaddedBase64.Encode(key.Sign(JsonObjectEditor.Without(Canonicalize(json), "signatures", "unsigned")));

    /// <summary>Is this the key's signature of the object?</summary>
    /// <param name="json">An object, in any form.</param>
    /// <param name="signature">In unpadded base64.</param>
    /// <exception cref="InvalidJsonException">Not an object, or without a canonical form.</exception>
    public static bool Verify(ReadOnlySpan<byte> json, VerifyKey key, string signature) =>
        UnpaddedBase64.Decode(signature) is { } bytes && key.Verify(JsonObjectEditor.Without(Canonicalize(json), "signatures", "unsigned"), bytes);

    /// <summary>
    /// Did <paramref name="entity"/> sign this object? At least one of its signatures must be by a key that <paramref name="findKey"/> knows,
    /// and all of those must be right (Appendices, Checking for a Signature).
    /// </summary>
    /// <exception cref="InvalidJsonException">Not an object, or without a canonical form.</exception>
    public static bool Verify(ReadOnlySpan<byte> json, string entity, Func<KeyId, VerifyKey?> findKey)
    {
        var canonical = Canonicalize(json);
        return Check(canonical, JsonObjectEditor.Without(canonical, "signatures", "unsigned"), entity, findKey);
    }

    /// <inheritdoc cref="Verify(ReadOnlySpan{byte}, string, Func{KeyId, VerifyKey?})"/>
    public static bool Verify(ReadOnlySpan<byte> json, ServerName server, Func<KeyId, VerifyKey?> findKey) =>
        Verify(json, server.ToString(), findKey);

    /// <summary>The Ed25519 keys by which <paramref name="entity"/> claims to have signed the object.</summary>
    /// <exception cref="InvalidJsonException">Not an object, or without a canonical form.</exception>
    public static IReadOnlyList<KeyId> KeyIds(ReadOnlySpan<byte> json, string entity) =>
        [.. Read(Canonicalize(json), entity).Select(signature => signature.Key)];

    /// <summary>Does this entity's signature over <paramref name="signed"/> stand in the canonical <paramref name="json"/>?</summary>
    internal static bool Check(ReadOnlySpan<byte> json, ReadOnlySpan<byte> signed, string entity, Func<KeyId, VerifyKey?> findKey)
    {
        var verified = false;
        foreach (var (keyId, text) in Read(json, entity))
        {
            if (findKey(keyId) is not { } key)
                continue;
            if (UnpaddedBase64.Decode(text) is not { } signature || !key.Verify(signed, signature))
                return false;
            verified = true;
        }
        return verified;
    }

    /// <summary>The canonical object with one more signature.</summary>
    internal static byte[] Add(ReadOnlySpan<byte> json, string entity, KeyId keyId, byte[] signature)
    {
        var all = ObjectOrEmpty(JsonObjectReader.Find(json, "signatures"u8));
        // Through a second canonicalisation, because names may need escapes; relaxed mode lets the new value win.
        var addition = new ArrayBufferWriter<byte>(all.Length + 256);
        addition.Write("{"u8);
        JsonText.Write(addition, keyId.ToString());
        addition.Write(":"u8);
        JsonText.Write(addition, UnpaddedBase64.Encode(signature));
        addition.Write("}"u8);
        var ofEntity = Merge(ObjectOrEmpty(FindNamed(all, entity)), addition.WrittenSpan);
        addition.ResetWrittenCount();
        addition.Write("{"u8);
        JsonText.Write(addition, entity);
        addition.Write(":"u8);
        addition.Write(ofEntity);
        addition.Write("}"u8);
        return JsonObjectEditor.With(json, "signatures"u8, Merge(all, addition.WrittenSpan));
    }

    static List<KeyValuePair<KeyId, string>> Read(ReadOnlySpan<byte> json, string entity)
    {
        var signatures = new List<KeyValuePair<KeyId, string>>(1);
        var reader = new JsonObjectReader(ObjectOrEmpty(FindNamed(ObjectOrEmpty(JsonObjectReader.Find(json, "signatures"u8)), entity)));
        while (reader.MoveNext())
            if (JsonText.ReadString(reader.Value) is { } signature && reader.Name.StartsWith("ed25519:"u8)
                && KeyId.TryParse(JsonText.ReadName(reader.Name), out var keyId))
                signatures.Add(new(keyId, signature));
        return signatures;
    }

    static byte[] Canonicalize(ReadOnlySpan<byte> json)
    {
        var canonical = CanonicalJson.Canonicalize(json, JsonRules.Relaxed);
        return canonical[0] == '{' ? canonical : throw new InvalidJsonException("Only an object can be signed.");
    }

    static ReadOnlySpan<byte> FindNamed(ReadOnlySpan<byte> json, string name)
    {
        var reader = new JsonObjectReader(json);
        while (reader.MoveNext())
            if (JsonText.ReadName(reader.Name) == name)
                return reader.Value;
        return default;
    }

    static byte[] Merge(ReadOnlySpan<byte> json, ReadOnlySpan<byte> addition)
    {
        var both = json.Length == 2 ? addition.ToArray() : [.. json[..^1], (byte)',', .. addition[1..]];
        return CanonicalJson.Canonicalize(both, JsonRules.Relaxed);
    }

    static ReadOnlySpan<byte> ObjectOrEmpty(ReadOnlySpan<byte> value) => !value.IsEmpty && value[0] == '{' ? value : "{}"u8;
}
