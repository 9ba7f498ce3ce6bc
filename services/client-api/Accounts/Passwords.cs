using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Accounts;

/// <summary>
/// Hashes and checks passwords. A hash takes a core for a quarter of a second, so it runs beside the threads that answer requests and
/// never on all cores at once; requests wait their turn.
/// </summary>
sealed class Passwords(AccountStore accounts, HomeserverOptions homeserver, AccountOptions options) : IDisposable
{
    /// <summary>Longer ones are refused: nobody types them, and bcrypt sees 72 bytes.</summary>
    const int LongestPassword = 512;

    readonly SemaphoreSlim turns = new(Math.Max(1, Environment.ProcessorCount - 1));
    readonly Lazy<string> nobody = new(() => PasswordHash.Create(SecretToken.Generate(), "", options.BcryptRounds));

    /// <summary>What a user chooses has to keep to the policy.</summary>
    /// <exception cref="MatrixException">400 M_WEAK_PASSWORD, or M_INVALID_PARAM when it is too long.</exception>
    public void MustBeGood(string password)
    {
        MustBeUsable(password);
        if (options.PasswordConfig.Policy.Check(password) is { } lack) throw new MatrixException(400, "M_WEAK_PASSWORD", lack);
    }

    /// <summary>What an administrator sets only has to be one that can be used.</summary>
    /// <exception cref="MatrixException">400 M_WEAK_PASSWORD when it is empty, M_INVALID_PARAM when it is too long.</exception>
    public static void MustBeUsable(string password)
    {
        if (password.Length > LongestPassword) throw MatrixException.InvalidParam("The password is too long.");
        if (password.Length == 0) throw new MatrixException(400, "M_WEAK_PASSWORD", "The password is empty.");
    }

    public Task<string> Hash(string password, CancellationToken ct) =>
        InTurn(() => PasswordHash.Create(password, options.PasswordConfig.Pepper, options.BcryptRounds), ct);

    /// <summary>
    /// The account that the password opens, or null. Takes as long for a name that nobody has. A deactivated account has no password.
    /// </summary>
    /// <param name="user">A localpart, or a whole user id of this server.</param>
    public async Task<Account?> Check(string user, string password, CancellationToken ct)
    {
        var account = Localpart(user) is { } localpart ? await accounts.FindByLocalpart(localpart, ct) : null;
        var hash = account?.PasswordHash;
        var fits = password.Length <= LongestPassword
            && await InTurn(() => PasswordHash.Verify(password, options.PasswordConfig.Pepper, hash ?? nobody.Value), ct);
        return fits && hash is not null ? account : null;
    }

    /// <summary>The localpart that a login means; null when it names a user of another server, or nothing.</summary>
    public string? Localpart(string user)
    {
        if (!user.StartsWith('@')) return user;
        return UserId.TryParse(user, out var userId) && userId.Server.ToString() == homeserver.ServerName ? userId.Localpart : null;
    }

    public void Dispose() => turns.Dispose();

    async Task<T> InTurn<T>(Func<T> work, CancellationToken ct)
    {
        await turns.WaitAsync(ct);
        try
        {
            return await Task.Run(work, ct);
        }
        finally
        {
            turns.Release();
        }
    }
}
