using System.Text.Json.Serialization;
using Matrix.Federation;
using Matrix.Http;
using Microsoft.Extensions.Options;

namespace Matrix.FederationReader.Endpoints;

/// <summary>GET /.well-known/matrix/server: where other servers find this one, if <c>serve_server_wellknown</c> says that it is behind port 443.</summary>
static class GetServerWellKnown
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/.well-known/matrix/server", Handle);

    static Response Handle(ServerSigningKey own, IOptions<FederationOptions> options) =>
        options.Value.ServeServerWellknown ? new Response($"{own.ServerName.Host}:443") : throw MatrixException.NotFound("No delegation.");

    sealed record Response([property: JsonPropertyName("m.server")] string Server);
}
