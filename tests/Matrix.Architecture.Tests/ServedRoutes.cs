using Matrix.ClientApi;
using Matrix.FederationReader;
using Matrix.Hosting;
using Matrix.MediaRepo;
using Matrix.Replication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;

namespace Matrix.Architecture.Tests;

/// <summary>A route and the service that has it.</summary>
public sealed record ServedRoute(Route Route, string Service);

/// <summary>Every route of every service: what its module maps, asked of the framework, without starting anything.</summary>
static class ServedRoutes
{
    static readonly Lazy<IReadOnlyList<ServedRoute>> s_all = new(() =>
    [
        .. Of("client-api", builder => builder.AddClientApi(), app => app.MapClientApi()),
        .. Of("federation-reader", builder => builder.AddFederationReader(), app => app.MapFederationReader()),
        .. Of("media-repo", builder => builder.AddMediaRepo(), app => app.MapMediaRepo()),
    ]);

    public static IReadOnlyList<ServedRoute> All => s_all.Value;

    static IEnumerable<ServedRoute> Of(string service, Action<WebApplicationBuilder> add, Action<WebApplication> map)
    {
        var builder = MatrixHost.CreateBuilder([], service);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["server_name"] = "architecture.example" });
        add(builder);
        builder.AddReplicationInProcess();
        var app = builder.Build();
        map(app);
        var endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();
        return from endpoint in endpoints
               from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
               where method != "HEAD" // a GET without its body
               select new ServedRoute(new Route(method, endpoint.RoutePattern.RawText!.Replace("?}", "}", StringComparison.Ordinal)), service);
    }
}
