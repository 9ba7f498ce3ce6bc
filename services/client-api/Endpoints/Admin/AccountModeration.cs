using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>Locking and suspending of accounts by administrators (Client-Server API, Account moderation).</summary>
static class AccountModeration
{
    /// <exception cref="MatrixException">403 for who is no administrator, before anything is looked up; 400 for a user of another server; 404.</exception>
    public static async Task<Account> Find(Requester requester, UserId userId, AccountStore accounts, CancellationToken ct)
    {
        requester.MustBeAdmin();
        if (userId.Server != requester.UserId.Server) throw MatrixException.InvalidParam("The user is of another server.");
        return await accounts.Find(userId, ct) is { DeactivatedAt: null } account ? account : throw MatrixException.NotFound("There is no such user.");
    }

    /// <exception cref="MatrixException">403: nobody can do it to themselves or to another administrator.</exception>
    public static async Task FindToChange(Requester requester, UserId userId, AccountStore accounts, CancellationToken ct)
    {
        var account = await Find(requester, userId, accounts, ct);
        if (userId == requester.UserId) throw MatrixException.Forbidden("You may not do this to yourself.");
        if (account.IsAdmin) throw MatrixException.Forbidden("The user is an administrator too.");
    }
}

sealed record LockedState(bool Locked);

sealed record SuspendedState(bool Suspended);
