using Matrix.Protocol;
using Matrix.Storage.Caching;

namespace Matrix.Federation;

/// <summary>Finds where a server is to be reached: by its name, by its well-known document, by SRV records, in this order.</summary>
public sealed class ServerDiscovery(WellKnown wellKnown, Names names, Caches caches, TimeProvider time)
{
    static readonly TimeSpan Kept = TimeSpan.FromMinutes(5), KeptAfterFailure = TimeSpan.FromSeconds(30);

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
        var isKept = _services.TryGet(host, out var kept);
        if (!isKept || kept.Until <= time.GetUtcNow())
        {
            var records = await Ask($"_matrix-fed._tcp.{host}", ct);
            if (records is { Count: 0 })
                records = await Ask($"_matrix._tcp.{host}", ct);
            // while the resolver fails, what it said last goes on; if it never did there is the default port, which most servers have
            var route = records != null ? new ServerRoute(host.ToString(), Order(records, Random.Shared)) : isKept ? kept.Route : new ServerRoute(host.ToString(), []);
            kept = (route, time.GetUtcNow() + (records != null ? Kept : KeptAfterFailure));
            _services.Set(host, kept);
        }
        return kept.Route.Targets.Count == 0 ? null : kept.Route;
    }

    /// <returns>Null where the resolver failed, so that nothing is known.</returns>
    async Task<IReadOnlyList<ServiceRecord>?> Ask(string name, CancellationToken ct)
    {
        try
        {
            return await names.FindServices(name, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>
    /// By priority, and among equals at random by weight (RFC 2782). A target "." says that there is no such service; one that is no name of a host, or without
    /// a port, is none either.
    /// </summary>
    public static IReadOnlyList<(string Host, int Port)> Order(IEnumerable<ServiceRecord> records, Random random)
    {
        var ordered = new List<(string, int)>();
        foreach (var equals in records.Where(record => record.Port > 0 && Uri.CheckHostName(record.Host) != UriHostNameType.Unknown).GroupBy(record => record.Priority).OrderBy(group => group.Key))
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
