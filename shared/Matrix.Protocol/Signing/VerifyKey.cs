using NSec.Cryptography;

namespace Matrix.Protocol;

/// <summary>The public half of an Ed25519 key.</summary>
public sealed class VerifyKey
{
    readonly PublicKey _key;

    internal VerifyKey(PublicKey key) => _key = key;

    /// <summary>Reads a key in unpadded base64, as servers publish it.</summary>
    /// <exception cref="InvalidKeyException">Not base64, or not a key.</exception>
    public static VerifyKey Parse(string base64) => TryParse(base64) ?? throw new InvalidKeyException("Not an Ed25519 public key.");

    /// <summary>Reads a key in unpadded base64; null if it is not one.</summary>
    public static VerifyKey? TryParse(string base64) =>
        UnpaddedBase64.Decode(base64) is { Length: 32 } bytes
        && PublicKey.TryImport(SignatureAlgorithm.Ed25519, bytes, KeyBlobFormat.RawPublicKey, out var key) && key is not null
            ? new VerifyKey(key) : null;

    /// <summary>Did the owner of this key sign these bytes?</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        signature.Length == 64 && SignatureAlgorithm.Ed25519.Verify(_key, data, signature);

    /// <summary>The key in unpadded base64.</summary>
    public override string ToString() => UnpaddedBase64.Encode(_key.Export(KeyBlobFormat.RawPublicKey));
}
