using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>GET /_matrix/client/v3/thirdparty/protocol/{protocol}: no bridge is registered, so no protocol is known.</summary>
static class GetThirdPartyProtocol
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/thirdparty/protocol/{protocol}", Handle);

    static Empty Handle(string protocol, Requester _) => throw MatrixException.NotFound($"There is no bridge for {protocol}.");
}
