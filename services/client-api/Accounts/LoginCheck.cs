using System.Net;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Accounts;

/// <summary>A password from somebody who is not logged in: limited by address and account, and telling nobody which accounts exist.</summary>
sealed class LoginCheck(Passwords passwords, AccountStore accounts, ShortTokenStore tokens, RateLimits limits)
{
    /// <exception cref="MatrixException">403 M_FORBIDDEN, 403 M_USER_DEACTIVATED, 401 M_USER_LOCKED, or 429.</exception>
    public async Task<Account> Password(string user, string password, IPAddress? address, CancellationToken ct)
    {
        await limits.Check("rc_login.address", RateLimits.AddressKey(address), ct);
        var name = passwords.Localpart(user)?.ToLowerInvariant() ?? "";
        // looked at before, so that a guess too many does not learn that it is right
        await limits.CheckOnly("rc_login.failed_attempts", name, ct);
        if (await passwords.Check(user, password, ct) is { } account)
        {
            await limits.Check("rc_login.account", name, ct);
            return account.IsLocked ? throw MatrixException.UserLocked() : account;
        }

        await limits.Check("rc_login.failed_attempts", name, ct);
        // checked after the password, so that it takes as long as any other refusal
        if (await accounts.FindByLocalpart(name, ct) is { DeactivatedAt: not null })
            throw MatrixException.UserDeactivated();
        throw Wrong();
    }

    /// <summary>A token that another device of the user asked for; it is good once.</summary>
    /// <exception cref="MatrixException">403 M_FORBIDDEN, 401 M_USER_LOCKED, or 429.</exception>
    public async Task<Account> Token(string token, IPAddress? address, CancellationToken ct)
    {
        await limits.Check("rc_login.address", RateLimits.AddressKey(address), ct);
        if (await tokens.TakeLogin(token, ct) is not { } user || await accounts.Find(user, ct) is not { DeactivatedAt: null } account)
            throw MatrixException.Forbidden("This login token is not valid.");
        return account.IsLocked ? throw MatrixException.UserLocked() : account;
    }

    public static MatrixException Wrong() => MatrixException.Forbidden("Wrong user name or password.");
}
