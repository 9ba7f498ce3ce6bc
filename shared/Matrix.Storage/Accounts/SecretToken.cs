using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Matrix.Storage;

/// <summary>Secrets that open something: the client keeps the text, the database only its hash.</summary>
public static class SecretToken
{
    /// <summary>A new secret of 256 random bits, made of letters, digits, '-' and '_'.</summary>
    public static string Generate() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>SHA-256 of the token's UTF-8: what is stored and looked up. A slow hash would add nothing to 256 random bits.</summary>
    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
