using System.Security.Cryptography;
using System.Text;

namespace Matrix.Ctl.Tests;

public sealed class SharedSecretRegistrationTests
{
    [Theory, InlineData(true, "admin"), InlineData(false, "notadmin")]
    public void The_proof_covers_nonce_user_password_and_whether_the_account_is_an_administrator(bool isAdmin, string word)
    {
        using var http = new HttpClient();
        var mac = new SharedSecretRegistration(http, "shared secret").Mac("n0nce", "alice", "pässword", isAdmin);

#pragma warning disable CA5350 // the protocol's choice
        var expected = HMACSHA1.HashData("shared secret"u8, Encoding.UTF8.GetBytes($"n0nce\0alice\0pässword\0{word}"));
#pragma warning restore CA5350
        Assert.Equal(Convert.ToHexStringLower(expected), mac);
    }
}
