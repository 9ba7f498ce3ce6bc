using Matrix.ClientApi.Accounts;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/refresh</summary>
static class PostRefresh
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/refresh", Handle);

    static async Task<Tokens> Handle(Body<Request> body, Sessions sessions, CancellationToken ct) =>
        await sessions.Refresh(body.Value.RefreshToken, ct) ?? throw MatrixException.UnknownToken(softLogout: true, "Unknown refresh token.");

    sealed record Request(string RefreshToken);
}
