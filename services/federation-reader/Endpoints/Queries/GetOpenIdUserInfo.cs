using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.FederationReader.Endpoints.Queries;

/// <summary>GET /_matrix/federation/v1/openid/userinfo: for anybody who was given the token.</summary>
static class GetOpenIdUserInfo
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/openid/userinfo", Handle);

    static async Task<Response> Handle([Microsoft.AspNetCore.Mvc.FromQuery(Name = "access_token")] string? token, ShortTokenStore tokens, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(token))
            throw new MatrixException(401, "M_MISSING_TOKEN", "Missing access_token.");
        return new Response(await tokens.FindOpenId(token, ct) ?? throw new MatrixException(401, "M_UNKNOWN_TOKEN", "The token is not known, or has expired."));
    }

    sealed record Response(UserId Sub);
}
