using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>GET /_matrix/client/v3/thirdparty/location/{protocol}: no bridge is registered, so no protocol is known.</summary>
static class GetThirdPartyLocationsOfProtocol
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/thirdparty/location/{protocol}", Handle);

    static Empty Handle(string protocol, Requester _) => throw MatrixException.NotFound($"There is no bridge for {protocol}.");
}
