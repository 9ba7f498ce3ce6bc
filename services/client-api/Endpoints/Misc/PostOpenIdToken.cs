using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>POST /_matrix/client/v3/user/{userId}/openid/request_token</summary>
static class PostOpenIdToken
{
    static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/user/{userId}/openid/request_token", Handle);

    static async Task<Response> Handle(UserId userId, Requester requester, ShortTokenStore tokens, HomeserverOptions homeserver, CancellationToken ct)
    {
        requester.MustBe(userId);
        requester.MustNotBeGuest();
        return new Response(await tokens.InsertOpenId(userId, Lifetime, ct), "Bearer", homeserver.ServerName, (long)Lifetime.TotalSeconds);
    }

    sealed record Response(string AccessToken, string TokenType, string MatrixServerName, long ExpiresIn);
}
