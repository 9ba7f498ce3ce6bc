using System.Text;
using Matrix.Protocol;
using Matrix.Replication;

namespace Matrix.FederationSender.Sharding;

/// <summary>A shard whose lease this replica holds.</summary>
sealed class HeldShard(short number, Lease lease, CancellationTokenSource ending) : IDisposable
{
    public short Number => number;

    public Lease Lease => lease;

    public long Fence => lease.Fence;

    /// <summary>Up to which position everything is known to be delivered or stored otherwise.</summary>
    public long Position { get; set; }

    /// <summary>Fires when the lease is lost or given back.</summary>
    public CancellationToken Lost { get; } = ending.Token;

    public void End() => ending.Cancel();

    public void Dispose() => ending.Dispose();
}

/// <summary>Destinations are spread over shards by a hash of their name.</summary>
static class Shard
{
    public const int Count = 16;

    /// <summary>Stored with destinations: can never change, as <see cref="Count"/> cannot.</summary>
    public static short Of(ServerName server)
    {
        var hash = 2166136261u; // FNV-1a
        foreach (var b in Encoding.UTF8.GetBytes(server.ToString()))
            hash = (hash ^ b) * 16777619;
        return (short)((hash ^ (hash >> 16)) % Count);
    }
}
