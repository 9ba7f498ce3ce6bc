using System.Text;

namespace Matrix.Architecture.Tests;

/// <summary>docs/endpoints.md: what the specification asks for and which service serves it.</summary>
static class EndpointTable
{
    public const string Path = "docs/endpoints.md";

    public static string Create(IReadOnlyList<Route> specified, IReadOnlyList<ServedRoute> served)
    {
        var services = served.ToLookup(route => route.Route.Shape, route => route.Service);
        var known = specified.Select(route => route.Shape).ToHashSet();
        var text = new StringBuilder("# Endpoints\n\n");
        text.Append($"Every route of the Matrix specification v{SpecRoutes.Version} and the service that serves it; {specified.Count(r => services.Contains(r.Shape))} of ")
            .Append($"{specified.Count} are served. The file is generated, and a test fails when it is stale; write it anew with\n")
            .Append("`MATRIX_UPDATE_GENERATED=1 dotnet run --project tests/Matrix.Architecture.Tests`.\n");
        Section(text, "Client-Server API", specified.Where(route => !IsServerToServer(route)), services);
        Section(text, "Server-Server API", specified.Where(IsServerToServer), services);
        Section(text, "Beyond the specification", served.Select(route => route.Route).Where(route => !known.Contains(route.Shape))
            .OrderBy(route => route.Path, StringComparer.Ordinal).ThenBy(route => route.Method, StringComparer.Ordinal), services);
        return text.ToString();
    }

    static bool IsServerToServer(Route route) => route.Path.StartsWith("/_matrix/federation/", StringComparison.Ordinal)
        || route.Path.StartsWith("/_matrix/key/", StringComparison.Ordinal) || route.Path.StartsWith("/_matrix/policy/", StringComparison.Ordinal)
        || route.Path == "/.well-known/matrix/server";

    static void Section(StringBuilder text, string title, IEnumerable<Route> routes, ILookup<string, string> services)
    {
        text.Append($"\n## {title}\n\n| Route | Served by |\n|---|---|\n");
        foreach (var route in routes)
        {
            text.Append($"| `{route}` | {services[route.Shape].FirstOrDefault() ?? "not yet"} |\n");
        }
    }
}
