using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>GET /_matrix/client/v3/thirdparty/protocols: no bridge is registered.</summary>
static class GetThirdPartyProtocols
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/thirdparty/protocols", Handle);

    static Empty Handle(Requester _) => default;
}
