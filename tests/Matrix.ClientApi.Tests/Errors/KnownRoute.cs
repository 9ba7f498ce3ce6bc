using System.Reflection;
using Matrix.FederationReader;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.MediaRepo;
using Matrix.Replication;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;

namespace Matrix.ClientApi.Tests.Errors;

/// <summary>A route that the server has, with the method that answers it: what it takes is read from that method's parameters.</summary>
sealed record KnownRoute(string Method, string Path, MethodInfo? Handler, IReadOnlyList<string> Query)
{
    static readonly Lazy<IReadOnlyList<KnownRoute>> Routes = new(Find);

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
               select new KnownRoute(method, path, endpoint.Metadata.GetMetadata<MethodInfo>(), query.GetValueOrDefault($"{method} {Shape(path)}") ?? []),
        ];
    }

    static Dictionary<string, string[]> Specified()
    {
        using var stream = new StreamReader(typeof(KnownRoute).Assembly.GetManifestResourceStream("spec-routes.txt")!);
        return stream.ReadToEnd().Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' '))
            .ToDictionary(parts => $"{parts[0]} {Shape(parts[1])}", parts => parts.Length > 2 ? parts[2].Split(',') : []);
    }

    static string Shape(string path) => string.Join('/', path.Split('/').Select(segment => segment.StartsWith('{') ? "{}" : segment));
}
