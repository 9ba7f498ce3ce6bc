using Matrix.Protocol;
using Matrix.Storage.Caching;

namespace Matrix.Federation;

/// <summary>Finds where a server is to be reached: by its name, by its well-known document, by SRV records, in this order.</summary>
public sealed class ServerDiscovery(WellKnown wellKnown, Names names, Caches caches, TimeProvider time)
{
    static readonly TimeSpan Kept = TimeSpan.FromMinutes(5);

    readonly BoundedCache<ServerName, (ServerRoute Route, DateTimeOffset Until)> _services =
        caches.Create<ServerName, (ServerRoute Route, DateTimeOffset Until)>("federation_services", 1 << 20,
            (name, found) => 80 + Caches.WeightOf(name.ToString()) + found.Route.Targets.Sum(target => 40 + Caches.WeightOf(target.Host)));

    /// <exception cref="OperationCanceledException"/>
    public async ValueTask<ServerRoute> Find(ServerName server, CancellationToken ct)
    {
        if (ServerRoute.Literal(server) is { } literal)
            return literal;
        var delegated = await wellKnown.Find(server, ct) ?? server;
        return ServerRoute.Literal(delegated) ?? await FindService(delegated, ct) ?? ServerRoute.Plain(delegated);
    }

    /// <summary>The targets of SRV records may change at any time, and their lifetimes are short, so they are kept for minutes alone.</summary>
    async ValueTask<ServerRoute?> FindService(ServerName host, CancellationToken ct)
    {
        if (_services.TryGet(host, out var kept) && kept.Until > time.GetUtcNow())
            return kept.Route.Targets.Count == 0 ? null : kept.Route;
        var records = await Ask($"_matrix-fed._tcp.{host}", ct);
        if (records.Count == 0)
            records = await Ask($"_matrix._tcp.{host}", ct);
        var route = new ServerRoute(host.ToString(), Order(records, Random.Shared));
        _services.Set(host, (route, time.GetUtcNow() + Kept));
        return route.Targets.Count == 0 ? null : route;
    }

    async Task<IReadOnlyList<ServiceRecord>> Ask(string name, CancellationToken ct)
    {
        try
        {
            return await names.FindServices(name, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return []; // a resolver that fails leaves the default port, which most servers have
        }
    }

    /// <summary>By priority, and among equals at random by weight (RFC 2782). A target "." says that there is no such service.</summary>
    public static IReadOnlyList<(string Host, int Port)> Order(IEnumerable<ServiceRecord> records, Random random)
    {
        var ordered = new List<(string, int)>();
        foreach (var equals in records.Where(record => record.Host.Length > 0).GroupBy(record => record.Priority).OrderBy(group => group.Key))
        {
            var left = equals.ToList();
            while (left.Count > 0)
            {
                var at = random.Next(left.Sum(record => record.Weight) + 1);
                var next = left.FindIndex(record => (at -= record.Weight) <= 0);
                ordered.Add((left[next].Host, left[next].Port));
                left.RemoveAt(next);
            }
        }
        return ordered;
    }
}
