using System.Security.Cryptography;
using Matrix.Http;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>A stored state of a connection, and what this process remembers beside it.</summary>
sealed class Connection(ConnectionKey key, long version, ConnectionState state)
{
    public ConnectionKey Key => key;

    public long Version => version;

    public ConnectionState State => state;

    /// <summary>May be lost at any time.</summary>
    public Settled? Settled { get; set; }

    public long ReadAt { get; init; }
}

/// <summary>
/// The connections of devices. A version's state never changes, so what is remembered of it needs no invalidation; what has to survive
/// the process is in Postgres before the client hears of it.
/// </summary>
sealed class Connections(SlidingStore store, Caches caches, TimeProvider time)
{
    /// <summary>Beside the one that begins: the one used least recently ends.</summary>
    const int MostOthers = 9;

    const int SweepEvery = 100;

    static readonly TimeSpan ReadAgain = TimeSpan.FromDays(1);

    readonly BoundedCache<(ConnectionKey Key, long Version), Connection> known = caches.Create<(ConnectionKey Key, long Version), Connection>(
        "sliding_connections", 32 << 20, (_, connection) => connection.State.Weight);

    int begun;

    /// <exception cref="MatrixException">M_UNKNOWN_POS: the client has to begin afresh.</exception>
    public async ValueTask<Connection> Get(ConnectionKey key, long version, CancellationToken ct)
    {
        // once a day it is read again, which tells Postgres that it is still in use
        if (known.TryGet((key, version), out var connection) && time.GetElapsedTime(connection.ReadAt) < ReadAgain)
            return connection;
        var stored = await store.Find(key, version, ct) ?? throw Unknown();
        return Keep(new Connection(key, version, ConnectionState.Read(stored)) { ReadAt = time.GetTimestamp() });
    }

    public async Task<Connection> Begin(ConnectionKey key, ConnectionState state, CancellationToken ct)
    {
        var version = NewVersion();
        await store.Begin(key, version, state.Write(), MostOthers, ct);
        // who begins connections clears away unused ones, twice as many as it begins
        if (Interlocked.Increment(ref begun) % SweepEvery == 0)
            await store.DeleteUnused(2 * SweepEvery, ct);
        return Keep(new Connection(key, version, state) { ReadAt = time.GetTimestamp() });
    }

    /// <exception cref="MatrixException">M_UNKNOWN_POS: meanwhile the connection began anew.</exception>
    public async Task<Connection> Advance(Connection from, ConnectionState state, CancellationToken ct)
    {
        var version = NewVersion();
        if (!await store.Advance(from.Key, from.Version, version, state.Write(), ct))
        {
            known.Remove((from.Key, from.Version));
            throw Unknown();
        }
        return Keep(new Connection(from.Key, version, state) { ReadAt = time.GetTimestamp() });
    }

    public static MatrixException Unknown() => new(400, "M_UNKNOWN_POS", "The position is not known (any more): begin without one.");

    Connection Keep(Connection connection)
    {
        known.Set((connection.Key, connection.Version), connection);
        return connection;
    }

    // Never used again: a pos of a version that was dropped must not fit a later one.
    static long NewVersion() => BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8)) & long.MaxValue;
}
