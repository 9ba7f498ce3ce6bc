using System.Security.Cryptography;
using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Accounts;

/// <summary>Which names new accounts may have (Appendices, User Identifiers).</summary>
sealed class Usernames(AccountStore accounts, HomeserverOptions homeserver)
{
    const int LongestUserId = 255;

    readonly ServerName server = ServerName.Parse(homeserver.ServerName);

    /// <summary>The id that a new user of this name gets: capitals become small.</summary>
    /// <exception cref="MatrixException">400 M_INVALID_USERNAME.</exception>
    public UserId Parse(string username)
    {
        var localpart = username.ToLowerInvariant();
        if (!UserId.IsStrict(localpart))
            throw Invalid("A user name is made of the letters a to z, digits, and the characters . _ = - / +");
        if (localpart[0] == '_') throw Invalid("A user name may not begin with an underscore.");
        if (localpart.Length + server.ToString().Length + 2 > LongestUserId) throw Invalid("The user name is too long.");
        return UserId.Create(localpart, server);
    }

    /// <exception cref="MatrixException">400 M_USER_IN_USE.</exception>
    public async Task MustBeFree(UserId userId, CancellationToken ct)
    {
        if (await accounts.IsTaken(userId.Localpart, ct)) throw InUse();
    }

    /// <summary>A name for somebody who did not choose one.</summary>
    public UserId Random(string prefix = "") =>
        UserId.Create(prefix + RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 12), server);

    public static MatrixException InUse() => new(400, "M_USER_IN_USE", "This user name is taken.");

    static MatrixException Invalid(string message) => new(400, "M_INVALID_USERNAME", message);
}
