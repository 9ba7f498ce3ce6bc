using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/account/password</summary>
static class PostPassword
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/account/password", Handle);

    static async Task<IResult> Handle(
        Body<Request> body, Requester requester, UserInteractive uia, Passwords passwords, UiaSessionStore proofs, SessionEnding sessions,
        CancellationToken ct)
    {
        requester.MustNotBeGuest();
        passwords.MustBeGood(body.Value.NewPassword);
        var outcome = await uia.Authorize(
            $"password {requester.UserId}", body.Value.Auth, [new UiaFlow(UiaStages.Password)], requester.UserId, ct);
        if (outcome.Challenge is not null) return outcome.Refusal;

        var hash = await passwords.Hash(body.Value.NewPassword, ct);
        if (!await proofs.Delete(outcome.Session.SessionId, ct)) throw MatrixException.Forbidden("This authentication session was used.");
        await sessions.Append(new SessionsChange(requester.UserId, batch =>
        {
            AccountStore.AddPassword(batch, requester.UserId, hash);
            if (body.Value.LogoutDevices) DeviceStore.AddDeleteOthers(batch, requester.UserId, requester.DeviceId);
        }, ofDevices: body.Value.LogoutDevices), ct);
        return Empty.Result;
    }

    sealed record Request(string NewPassword, AuthData? Auth, bool LogoutDevices = true);
}
