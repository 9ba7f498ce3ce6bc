using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/account/deactivate</summary>
static class PostDeactivate
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/account/deactivate", Handle);

    static async Task<IResult> Handle(
        Body<Request> body, Requester requester, UserInteractive uia, UiaSessionStore proofs, SessionEnding sessions, RoomUpdates rooms,
        CancellationToken ct)
    {
        requester.MustNotBeGuest();
        var outcome = await uia.Authorize(
            $"deactivate {requester.UserId}", body.Value.Auth, [new UiaFlow(UiaStages.Password)], requester.UserId, ct);
        if (outcome.Challenge is not null) return outcome.Refusal;

        if (!await proofs.Delete(outcome.Session.SessionId, ct)) throw MatrixException.Forbidden("This authentication session was used.");
        await sessions.Append(
            new SessionsChange(requester.UserId, batch => AccountStore.AddDeactivation(batch, requester.UserId, body.Value.Erase), ofDevices: true), ct);
        await rooms.Show(requester.UserId, ct);
        return Results.Json(new Response("success"), MatrixJson.Options);
    }

    sealed record Request(AuthData? Auth, bool Erase = false);

    // no third-party identifier was ever bound, so none was left bound
    sealed record Response(string IdServerUnbindResult);
}
