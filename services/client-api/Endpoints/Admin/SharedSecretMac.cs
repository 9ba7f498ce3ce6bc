using System.Security.Cryptography;
using System.Text;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>Proves that a registration comes from somebody who knows the shared secret, in the form that existing tools send.</summary>
static class SharedSecretMac
{
    /// <summary>HMAC-SHA1 over nonce, name, password, admin or notadmin, and the user type if there is one, with NUL between them.</summary>
    public static byte[] Compute(string secret, string nonce, string username, string password, bool admin, string? userType)
    {
        var message = string.Join('\0', [nonce, username, password, admin ? "admin" : "notadmin", .. userType is null ? [] : new[] { userType }]);
#pragma warning disable CA5350 // the tools' choice; SHA-1's weakness against collisions does not touch HMAC
        return HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(message));
#pragma warning restore CA5350
    }

    /// <summary>Takes as long for a wrong one.</summary>
    public static bool Matches(byte[] expected, string hex)
    {
        try
        {
            return CryptographicOperations.FixedTimeEquals(expected, Convert.FromHexString(hex));
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
