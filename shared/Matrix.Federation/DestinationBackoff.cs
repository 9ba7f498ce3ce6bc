using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Caching;
using Matrix.Storage.Federation;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

/// <summary>
/// Which servers fail, and when each may be asked again: after <c>destination_min_retry_interval</c>, and longer with each failure. Shared by all
/// processes through Postgres; each keeps what it read for seconds.
/// </summary>
public sealed class DestinationBackoff(DestinationRetryStore store, IOptions<FederationOptions> options, Caches caches, TimeProvider time, EphemeralChannel? channel = null)
{
    static readonly TimeSpan WellKept = TimeSpan.FromSeconds(30), FailingKept = TimeSpan.FromSeconds(3);

    readonly BoundedCache<ServerName, (DestinationRetry? Retry, DateTimeOffset Until)> _known =
        caches.Create<ServerName, (DestinationRetry? Retry, DateTimeOffset Until)>("destination_retries", 2 << 20, (name, _) => 96 + Caches.WeightOf(name.ToString()));

    /// <summary>Null for a server that is well, as far as anybody knows.</summary>
    public async ValueTask<DestinationRetry?> Find(ServerName destination, CancellationToken ct)
    {
        if (_known.TryGet(destination, out var known) && known.Until > time.GetUtcNow())
            return known.Retry;
        return Keep(destination, await store.Find(destination, ct));
    }

    /// <summary>Is it not time yet to ask again?</summary>
    public bool MustWait(DestinationRetry retry) => retry.RetryAt > time.GetUtcNow();

    /// <summary>It did not answer. Failures of requests that were under way together count once.</summary>
    public async Task Failed(ServerName destination, CancellationToken ct)
    {
        var times = options.Value.Times;
        // not all that failed at once come back at once
        var jitter = 0.8 + (0.4 * Random.Shared.NextDouble());
        Keep(destination, await store.Failed(destination, time.GetUtcNow(), times.DestinationMinRetryInterval, times.DestinationRetryMultiplier * jitter,
            times.DestinationMaxRetryInterval, ct));
    }

    /// <summary>
    /// It answers, but takes nothing of what it is sent: others may go on asking it, and when it is heard from that is told (<see cref="ServerHeard"/>).
    /// </summary>
    public async Task Refused(ServerName destination, CancellationToken ct) =>
        Keep(destination, await store.Failed(destination, time.GetUtcNow(), TimeSpan.Zero, 1, TimeSpan.Zero, ct));

    /// <summary>It answered, or was heard from: it is asked like any other at once. True if it had been failing.</summary>
    public async Task<bool> Succeeded(ServerName destination, CancellationToken ct)
    {
        var ended = await store.Delete(destination, ct);
        Keep(destination, null);
        if (ended)
            channel?.Tell(JsonSerializer.SerializeToUtf8Bytes(new ServerHeard(ServerHeard.KindName, destination.ToString())));
        return ended;
    }

    /// <summary>A request of this server came in. Costs nothing while it is known to be well; true if that ended its backoff.</summary>
    public async ValueTask<bool> Heard(ServerName origin, CancellationToken ct) =>
        await Find(origin, ct) != null && await Succeeded(origin, ct);

    DestinationRetry? Keep(ServerName destination, DestinationRetry? retry)
    {
        _known.Set(destination, (retry, time.GetUtcNow() + (retry == null ? WellKept : FailingKept)));
        return retry;
    }
}
