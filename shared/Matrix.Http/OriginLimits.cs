using System.ComponentModel.DataAnnotations;
using Matrix.Protocol;

namespace Matrix.Http;

/// <summary>The keys <c>rc_federation</c>: what one other server may have us do at once.</summary>
public sealed class OriginLimitOptions
{
    public OriginLimit RcFederation { get; init; } = new();

    /// <summary>Bytes of bodies of other servers' requests that one process holds at once.</summary>
    [Range(1 << 20, long.MaxValue)] public long FederationBodiesInFlight { get; init; } = 256 << 20;

    public sealed class OriginLimit
    {
        /// <summary>Requests of one server that are worked on at once; further ones wait.</summary>
        [Range(1, 10_000)] public int Concurrent { get; init; } = 10;

        /// <summary>Requests of one server that wait; further ones are refused.</summary>
        [Range(0, 100_000)] public int RejectLimit { get; init; } = 50;
    }
}

/// <summary>
/// Keeps one server from taking all of this process. A request counts for its server only once its signature is checked: else whoever likes could
/// fill up another server's places. Before that all requests share a limit on the bytes that they bring.
/// </summary>
public sealed class OriginLimits(OriginLimitOptions options)
{
    readonly Dictionary<ServerName, Places> _origins = [];
    readonly Lock _gate = new();
    long _bytes;

    /// <summary>The room for a body, before it is read; given back by disposing.</summary>
    /// <exception cref="MatrixException">429: too much is under way.</exception>
    public IDisposable TakeBytes(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) > options.FederationBodiesInFlight)
        {
            Interlocked.Add(ref _bytes, -bytes);
            throw MatrixException.LimitExceeded(TimeSpan.FromSeconds(1));
        }
        return new Release(() => Interlocked.Add(ref _bytes, -bytes));
    }

    /// <summary>Waits for a place of this server; given back by disposing.</summary>
    /// <exception cref="MatrixException">429: too many wait already.</exception>
    public async ValueTask<IDisposable> Enter(ServerName origin, CancellationToken ct)
    {
        var places = Join(origin);
        try
        {
            await places.Free.WaitAsync(ct);
        }
        catch
        {
            Leave(origin, places);
            throw;
        }
        return new Release(() =>
        {
            places.Free.Release();
            Leave(origin, places);
        });
    }

    Places Join(ServerName origin)
    {
        lock (_gate)
        {
            if (!_origins.TryGetValue(origin, out var places))
                _origins[origin] = places = new Places(new SemaphoreSlim(options.RcFederation.Concurrent));
            if (places.Users >= options.RcFederation.Concurrent + options.RcFederation.RejectLimit)
                throw MatrixException.LimitExceeded(TimeSpan.FromSeconds(1));
            places.Users++;
            return places;
        }
    }

    void Leave(ServerName origin, Places places)
    {
        lock (_gate)
        {
            if (--places.Users == 0)
                _origins.Remove(origin);
        }
    }

    sealed class Places(SemaphoreSlim free)
    {
        public SemaphoreSlim Free => free;

        public int Users { get; set; }
    }

    sealed class Release(Action give) : IDisposable
    {
        Action? _give = give;

        public void Dispose() => Interlocked.Exchange(ref _give, null)?.Invoke();
    }
}
