using System.Reflection;

namespace Matrix.FederationReader.Endpoints;

/// <summary>GET /_matrix/federation/v1/version: which implementation runs here.</summary>
static class GetServerVersion
{
    static readonly Response s_response = new(new Server(
        "Matrix.NET",
        typeof(GetServerVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0"));

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/version", () => s_response);

    sealed record Response(Server Server);

    sealed record Server(string Name, string Version);
}
