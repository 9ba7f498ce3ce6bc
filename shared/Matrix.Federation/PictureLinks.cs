using System.Security.Cryptography;
using System.Text;
using Matrix.Protocol;

namespace Matrix.Federation;

/// <summary>
/// Links to small pictures that may be had without an access token, for mails. Only this server can make one, and each is good for one picture, for as long
/// as the server signs with the same key.
/// </summary>
public sealed class PictureLinks(ServerSigningKey own)
{
    public const string Path = "/_synapse/client/picture";

    // a signature is as secret as the key, if it is of what the server never signs for others: those are JSON objects
    readonly Lazy<byte[]> secret = new(() => SHA256.HashData(own.Key.Sign("links to pictures"u8)));

    /// <summary>Path and query of a picture's link.</summary>
    public string To(MxcUri picture) => $"{Path}/{picture.Server}/{picture.MediaId}?key={KeyOf(picture)}";

    /// <summary>Is this the key in the picture's link?</summary>
    public bool IsKey(MxcUri picture, string key) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(KeyOf(picture)));

    string KeyOf(MxcUri picture) => Convert.ToHexStringLower(HMACSHA256.HashData(secret.Value, Encoding.UTF8.GetBytes(picture.ToString())));
}
