using NSec.Cryptography;

namespace Matrix.Protocol;

/// <summary>A server's own Ed25519 key (Appendices, Signing JSON).</summary>
public sealed class SigningKey : IDisposable
{
    readonly Key _key;

    SigningKey(KeyId keyId, Key key)
    {
        KeyId = keyId;
        _key = key;
        VerifyKey = new VerifyKey(key.PublicKey);
    }

    /// <summary>The name of the key: <c>ed25519:version</c>.</summary>
    public KeyId KeyId { get; }

    /// <summary>The public half.</summary>
    public VerifyKey VerifyKey { get; }

    /// <summary>A new random key.</summary>
    /// <param name="version">What follows <c>ed25519:</c> in the key's name.</param>
    public static SigningKey Generate(string version)
    {
        var seed = System.Security.Cryptography.RandomNumberGenerator.GetBytes(32);
        return FromSeed(version, seed);
    }

    /// <summary>The key made from this seed of 32 bytes.</summary>
    /// <exception cref="InvalidKeyException">The seed has another length.</exception>
    public static SigningKey FromSeed(string version, ReadOnlySpan<byte> seed)
    {
        if (seed.Length != 32)
            throw new InvalidKeyException("The seed of a signing key has 32 bytes.");
        var parameters = new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport };
        var key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey, parameters);
        return new SigningKey(KeyId.Parse($"ed25519:{version}"), key);
    }

    /// <summary>Reads the first key of a key file: lines of <c>ed25519 version seed</c>, the seed in unpadded base64.</summary>
    /// <exception cref="InvalidKeyException">There is no such line.</exception>
    public static SigningKey ParseFile(string text)
    {
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts is ["ed25519", var version, var seed] && UnpaddedBase64.Decode(seed) is { } bytes)
                return FromSeed(version, bytes);
        }
        throw new InvalidKeyException("No line of the form 'ed25519 version seed'.");
    }

    /// <summary>The key as a line of a key file. Secret.</summary>
    public string FormatFile() => $"ed25519 {KeyId.Version} {UnpaddedBase64.Encode(_key.Export(KeyBlobFormat.RawPrivateKey))}\n";

    /// <summary>The signature of these bytes: 64 bytes.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => SignatureAlgorithm.Ed25519.Sign(_key, data);

    /// <summary>Wipes the key from memory.</summary>
    public void Dispose() => _key.Dispose();
}
