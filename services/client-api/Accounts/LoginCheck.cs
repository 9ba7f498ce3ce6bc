using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Accounts;

/// <summary>A password from somebody who is not logged in: limited by address and account, and telling nobody which accounts exist.</summary>
sealed class LoginCheck(Passwords passwords, AccountStore accounts)
{
    /// <exception cref="MatrixException">403 M_FORBIDDEN, 403 M_USER_DEACTIVATED, or 429.</exception>
    public async Task<Account> Password(string user, string password, string? ip, CancellationToken ct)
    {
        if (await passwords.Check(user, password, ct) is { } account) return account;
        // checked after the password, so that it takes as long as any other refusal
        if (passwords.Localpart(user) is { } localpart && await accounts.FindByLocalpart(localpart, ct) is { DeactivatedAt: not null })
            throw MatrixException.UserDeactivated();
        throw Wrong();
    }

    public static MatrixException Wrong() => MatrixException.Forbidden("Wrong user name or password.");
}
