using System.ComponentModel.DataAnnotations;
using Matrix.Hosting.Configuration;
using Matrix.Protocol;

namespace Matrix.Http;

/// <summary>The keys <c>rc_federation</c>: what one other server may have us do at once.</summary>
public sealed class OriginLimitOptions
{
    public OriginLimit RcFederation { get; init; } = new();

    /// <summary>The bytes of bodies of other servers' requests that one process holds at once.</summary>
    [ByteSize, Range(1 << 20, long.MaxValue)] public long FederationBodiesInFlight { get; init; } = 256 << 20;

    public sealed class OriginLimit
    {
        /// <summary>Requests of one server that a process works on at once; further ones wait.</summary>
        [Range(1, 10_000)] public int Concurrent { get; init; } = 10;

        /// <summary>Requests of one server that wait in a process; further ones are refused.</summary>
        [Range(0, 100_000)] public int RejectLimit { get; init; } = 50;
    }
}

/// <summary>
/// Keeps one server from taking all of this process. A request counts for its server only once its signature is checked: else whoever likes could
/// fill up another server's places. Before that there are limits on the bytes that all requests bring, and those of one address, and on how many wait for keys
/// that have to be asked for.
/// </summary>
public sealed class OriginLimits(OriginLimitOptions options)
{
    const int MostStrangers = 100, MostUnsigned = 16, Shares = 4;

    readonly Dictionary<ServerName, Places> _origins = [];
    readonly Dictionary<string, long> _addresses = [];
    readonly Lock _gate = new();
    long _bytes;
    int _strangers, _unsigned;

    /// <summary>The room for a body, before it is read; given back by disposing. Nobody's address gets more than its share, whatever servers it names.</summary>
    /// <exception cref="MatrixException">429: too much is under way.</exception>
    public IDisposable TakeBytes(string address, long bytes)
    {
        lock (_gate)
        {
            var held = _addresses.GetValueOrDefault(address);
            // one body is let in whatever its size: Kestrel limits that
            if (_bytes + bytes > options.FederationBodiesInFlight || held > 0 && held + bytes > options.FederationBodiesInFlight / Shares)
                throw MatrixException.LimitExceeded(TimeSpan.FromSeconds(1));
            _bytes += bytes;
            _addresses[address] = held + bytes;
        }
        return new Release(() =>
        {
            lock (_gate)
            {
                _bytes -= bytes;
                // another request without bytes of its own may have taken the address away
                var left = _addresses.GetValueOrDefault(address) - bytes;
                if (left > 0) _addresses[address] = left;
                else _addresses.Remove(address);
            }
        });
    }

    /// <summary>For a request whose server's keys have to be asked for, while they are; given back by disposing. Those of servers that are known never wait behind it.</summary>
    /// <exception cref="MatrixException">429: too many are being asked for.</exception>
    public IDisposable EnterStranger() => Enter(ref _strangers, MostStrangers, () => Interlocked.Decrement(ref _strangers));

    /// <summary>For a request that nobody has signed and that makes us ask other servers; given back by disposing.</summary>
    /// <exception cref="MatrixException">429: too many are under way.</exception>
    public IDisposable EnterUnsigned() => Enter(ref _unsigned, MostUnsigned, () => Interlocked.Decrement(ref _unsigned));

    static Release Enter(ref int count, int most, Action leave)
    {
        if (Interlocked.Increment(ref count) <= most)
            return new Release(leave);
        Interlocked.Decrement(ref count);
        throw MatrixException.LimitExceeded(TimeSpan.FromSeconds(10));
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
