using Matrix.ClientApi.Accounts;
using Matrix.ClientApi.Endpoints.Misc;
using Matrix.Hosting.Configuration;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Discovery;

/// <summary>GET /.well-known/matrix/client</summary>
static class GetWellKnownClient
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/.well-known/matrix/client", Handle);

    static IReadOnlyDictionary<string, object> Handle(HomeserverOptions homeserver, TurnOptions calls) =>
        WellKnown.Client(homeserver, calls) ?? throw MatrixException.NotFound("public_baseurl is not configured.");
}
