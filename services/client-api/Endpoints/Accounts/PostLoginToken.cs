using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v1/login/get_token: a token by which another device of the user logs in, once.</summary>
static class PostLoginToken
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v1/login/get_token", Handle);

    static async Task<IResult> Handle(
        Body<Request> body, Requester requester, UserInteractive uia, UiaSessionStore proofs, ShortTokenStore tokens, AccountOptions options,
        CancellationToken ct)
    {
        requester.MustNotBeGuest();
        if (!options.LoginViaExistingSession.Enabled) throw MatrixException.Unrecognized("Login tokens are not given out here.");
        // asked for anew each time: the session is used up below
        var outcome = await uia.Authorize(
            $"login token {requester.UserId}", body.Value.Auth, [new UiaFlow(UiaStages.Password)], requester.UserId, ct);
        if (outcome.Challenge is not null) return outcome.Refusal;
        if (!await proofs.Delete(outcome.Session.SessionId, ct)) throw MatrixException.Forbidden("This authentication session was used.");
        var lifetime = options.LoginViaExistingSession.TokenTimeout;
        return Results.Json(
            new Response(await tokens.InsertLogin(requester.UserId, lifetime, ct), (long)lifetime.TotalMilliseconds), MatrixJson.Options);
    }

    sealed record Request(AuthData? Auth);

    sealed record Response(string LoginToken, long ExpiresInMs);
}
