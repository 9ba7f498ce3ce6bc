using System.Reflection;
using Matrix.FederationReader;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.MediaRepo;
using Matrix.Replication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;

namespace Matrix.ClientApi.Tests.Errors;

/// <summary>A route that the server has, with the method that answers it: what it takes is read from that method's parameters.</summary>
sealed record KnownRoute(string Method, string Path, MethodInfo? Handler, IReadOnlyList<string> Query)
{
    static readonly Lazy<IReadOnlyList<KnownRoute>> Routes = new(Find);

    // what a handler that is not in the specification may look for in a query that it reads itself
    static readonly string[] Usual =
        ["dir", "from", "to", "limit", "pos", "timeout", "since", "next_batch", "batch_token", "user_id", "room_id", "method", "width", "height", "key", "url", "ts"];

    // and what those of the specification know beyond it
    static readonly Dictionary<string, string[]> Beyond = new()
    {
        ["GET /_matrix/client/v3/sync"] = ["org.matrix.msc4222.use_state_after"],
        ["PUT /_matrix/client/v3/rooms/{}/send/{}/{}"] = ["org.matrix.msc4140.delay"],
        ["PUT /_matrix/client/v3/rooms/{}/state/{}/{}"] = ["org.matrix.msc4140.delay"],
        ["POST /_matrix/media/v3/upload"] = ["xyz.amorgan.generate_blurhash"],
    };

    public static IReadOnlyList<KnownRoute> All => Routes.Value;

    /// <summary>The T of a parameter <c>Body&lt;T&gt;</c>; null for a route that takes no JSON.</summary>
    public Type? Body => Handler?.GetParameters().Select(parameter => parameter.ParameterType)
        .FirstOrDefault(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Body<>))?.GetGenericArguments()[0];

    public bool NeedsToken => Handler?.GetParameters().Any(parameter => parameter.ParameterType == typeof(Requester)) == true;

    /// <summary>The names of the parameters in the path, without marks.</summary>
    public IEnumerable<string> Parameters =>
        Path.Split('/').Where(segment => segment.StartsWith('{')).Select(segment => segment.Trim('{', '}', '*', '?'));

    /// <summary>The path with every parameter as <paramref name="value"/> gives it, percent-encoded already.</summary>
    public string Fill(Func<string, string> value) => string.Join('/', Path.Split('/').Select(segment =>
        segment.StartsWith('{') ? value(segment.Trim('{', '}', '*', '?')) : segment));

    public override string ToString() => $"{Method} {Path}";

    static IReadOnlyList<KnownRoute> Find()
    {
        var builder = MatrixHost.CreateBuilder([], "all-in-one");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["server_name"] = "routes.example" });
        builder.AddClientApi().AddFederationReader().AddMediaRepo().AddReplicationInProcess();
        var app = builder.Build();
        app.MapClientApi();
        app.MapFederationReader();
        app.MapMediaRepo();
        var query = Specified();
        return
        [
            .. from endpoint in ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
               from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
               where method != "HEAD" // the same as GET, and its errors cannot be read
               let path = endpoint.RoutePattern.RawText!
               where !path.StartsWith("/health", StringComparison.Ordinal) && path != "/metrics"
               let handler = endpoint.Metadata.GetMetadata<MethodInfo>()
               let shape = $"{method} {Shape(path)}"
               select new KnownRoute(method, path, handler, query.TryGetValue(shape, out var specified)
                   ? [.. specified, .. Beyond.GetValueOrDefault(shape) ?? []]
                   : [.. Bound(path, handler), .. handler?.GetParameters().Any(parameter => parameter.ParameterType == typeof(HttpContext)) == true ? Usual : []]),
        ];
    }

    // the parameters that the framework takes from the query
    static IEnumerable<string> Bound(string path, MethodInfo? handler) =>
        from parameter in handler?.GetParameters() ?? []
        let type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType
        let name = parameter.GetCustomAttribute<FromQueryAttribute>()?.Name ?? parameter.Name
        where (type.IsPrimitive || type == typeof(string) || type == typeof(string[])) && !Shape(path, name).Contains('*')
        select name;

    static string Shape(string path, string name) => string.Join('/', path.Split('/').Select(segment => segment.Trim('{', '}', '*', '?') == name ? "*" : segment));

    static Dictionary<string, string[]> Specified()
    {
        using var stream = new StreamReader(typeof(KnownRoute).Assembly.GetManifestResourceStream("spec-routes.txt")!);
        return stream.ReadToEnd().Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' '))
            .ToDictionary(parts => $"{parts[0]} {Shape(parts[1])}", parts => parts.Length > 2 ? parts[2].Split(',') : []);
    }

    static string Shape(string path) => string.Join('/', path.Split('/').Select(segment => segment.StartsWith('{') ? "{}" : segment));
}
