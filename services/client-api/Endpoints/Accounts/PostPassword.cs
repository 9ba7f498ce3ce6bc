using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Storage;
using Npgsql;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/account/password</summary>
static class PostPassword
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/account/password", Handle);

    static async Task<IResult> Handle(
        Body<Request> body, Requester requester, UserInteractive uia, Passwords passwords, AccountStore accounts, DeviceStore devices,
        UiaSessionStore sessions, NpgsqlDataSource db, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        passwords.MustBeGood(body.Value.NewPassword);
        var outcome = await uia.Authorize(
            $"password {requester.UserId}", body.Value.Auth, [new UiaFlow(UiaStages.Password)], requester.UserId, ct);
        if (outcome.Challenge is not null) return outcome.Refusal;

        var hash = await passwords.Hash(body.Value.NewPassword, ct);
        await using var tx = await db.BeginTransaction(ct);
        if (!await sessions.Delete(tx, outcome.Session.SessionId, ct))
            throw MatrixException.Forbidden("This authentication session was used.");
        await accounts.SetPassword(tx, requester.UserId, hash, ct);
        if (body.Value.LogoutDevices) await devices.DeleteOthers(tx, requester.UserId, requester.DeviceId, ct);
        await tx.CommitAsync(ct);
        return Empty.Result;
    }

    sealed record Request(string NewPassword, AuthData? Auth, bool LogoutDevices = true);
}
