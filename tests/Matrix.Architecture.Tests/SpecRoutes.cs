using YamlDotNet.RepresentationModel;

namespace Matrix.Architecture.Tests;

/// <summary>A route as the specification or the server names it, <c>GET /_matrix/client/v3/sync</c>.</summary>
public sealed record Route(string Method, string Path)
{
    /// <summary>The same for two spellings that match the same requests: parameters have no names, a last empty segment counts.</summary>
    public string Shape => $"{Method} {string.Join('/', Path.Split('/').Select(segment => segment.StartsWith('{') ? "{}" : segment))}";

    public override string ToString() => $"{Method} {Path}";
}

/// <summary>Every route of the specification's Client-Server and Server-Server APIs, read from the committed list.</summary>
static class SpecRoutes
{
    public const string Version = "1.19";
    public const string ListPath = "tests/Matrix.Architecture.Tests/spec-routes.txt";
    static readonly string[] s_methods = ["get", "put", "post", "delete"];

    public static IReadOnlyList<Route> Committed { get; } =
        [.. File.ReadLines(Path.Combine(Repository.Root, ListPath)).Where(line => line.Length > 0 && line[0] != '#').Select(line => new Route(line.Split(' ')[0], line.Split(' ')[1]))];

    /// <summary>The specification's own OpenAPI files, where they lie beside the checkout; null elsewhere.</summary>
    public static string? Folder { get; } =
        new[] { "../shared/spec/data/api", "../../shared/spec/data/api" }.Select(path => Path.GetFullPath(Path.Combine(Repository.Root, path))).FirstOrDefault(Directory.Exists)
        ?? Environment.GetEnvironmentVariable("MATRIX_SPEC_API");

    public static string Generate(string folder)
    {
        var routes = new[] { "client-server", "server-server" }.SelectMany(api => Directory.EnumerateFiles(Path.Combine(folder, api), "*.yaml")).SelectMany(ReadFile)
            .DistinctBy(read => read.Route).OrderBy(read => read.Route.Path, StringComparer.Ordinal).ThenBy(read => read.Route.Method, StringComparer.Ordinal);
        return $"# Every route of the Client-Server and Server-Server APIs of the Matrix specification v{Version}, from its OpenAPI files, and its query parameters.\n"
            + string.Concat(routes.Select(read => $"{read.Route} {string.Join(',', read.Query)}".TrimEnd() + "\n"));
    }

    static IEnumerable<(Route Route, IEnumerable<string> Query)> ReadFile(string file)
    {
        var yaml = new YamlStream();
        using var reader = File.OpenText(file);
        yaml.Load(reader);
        var root = (YamlMappingNode)yaml.Documents[0].RootNode;
        var server = (YamlMappingNode)((YamlSequenceNode)root["servers"])[0];
        var basePath = ((YamlScalarNode)server["variables"]["basePath"]["default"]).Value!;
        return from path in (YamlMappingNode)root["paths"]
               from operation in (YamlMappingNode)path.Value
               let method = ((YamlScalarNode)operation.Key).Value!
               where s_methods.Contains(method)
               select (new Route(method.ToUpperInvariant(), basePath + ((YamlScalarNode)path.Key).Value!.Trim()),
                   QueryOf((YamlMappingNode)path.Value).Concat(QueryOf((YamlMappingNode)operation.Value)).Distinct().Order(StringComparer.Ordinal).AsEnumerable());
    }

    // a parameter behind a reference (the token in the query) has no place of its own
    static IEnumerable<string> QueryOf(YamlMappingNode operation) =>
        operation.Children.TryGetValue("parameters", out var parameters)
            ? from parameter in ((YamlSequenceNode)parameters).OfType<YamlMappingNode>()
              where parameter.Children.TryGetValue("in", out var place) && (string?)place == "query"
              select (string)parameter["name"]!
            : [];
}
