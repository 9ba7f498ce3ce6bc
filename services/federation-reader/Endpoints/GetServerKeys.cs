using Matrix.Federation;

namespace Matrix.FederationReader.Endpoints;

/// <summary>GET /_matrix/key/v2/server: this server's signing keys, signed by themselves.</summary>
static class GetServerKeys
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/key/v2/server", Handle);

    static IResult Handle(ServerKeyDocument document) => Results.Bytes(document.Create(), "application/json");
}
