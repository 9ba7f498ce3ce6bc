using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>GET /_matrix/client/v3/thirdparty/user: no bridge is registered, so nothing is found.</summary>
static class GetThirdPartyUsers
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/thirdparty/user", Handle);

    static IReadOnlyList<string> Handle(Requester _) => [];
}
