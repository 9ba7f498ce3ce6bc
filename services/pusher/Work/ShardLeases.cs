using Matrix.Replication;
using Matrix.Storage.Push;

namespace Matrix.Pusher.Work;

/// <summary>A shard that this replica holds.</summary>
sealed class HeldShard(short shard, Lease lease)
{
    public short Shard => shard;

    public Lease Lease => lease;

    public bool IsLost => lease.Lost.IsCancellationRequested;
}

/// <summary>
/// Shares the shards among the replicas that live: each has a lease that says that it is there, and holds its part of the leases of shards. Whoever has
/// more than that gives some back.
/// </summary>
sealed class ShardLeases(Leases leases, PushProgressStore store)
{
    const string Prefix = "push:", ReplicaPrefix = "push:replica:", ShardPrefix = "push:shard:";
    static readonly TimeSpan TakeoverAfter = TimeSpan.FromSeconds(6);

    readonly string replica = $"{ReplicaPrefix}{Guid.NewGuid():n}";
    readonly Dictionary<short, HeldShard> held = [];
    Lease? presence;

    public IReadOnlyCollection<HeldShard> Held => held.Values;

    /// <summary>Takes what is due to this replica; what it has too much of, and what it has lost, comes back as no longer held.</summary>
    public async Task<(List<HeldShard> Gained, List<HeldShard> Lost, List<HeldShard> Surplus)> Balance(CancellationToken ct)
    {
        var lost = held.Values.Where(shard => shard.IsLost).ToList();
        lost.ForEach(shard => held.Remove(shard.Shard));
        if (presence is null or { Lost.IsCancellationRequested: true })
        {
            presence = await leases.TryAcquire(replica, TakeoverAfter, ct);
            await store.DeleteOldLeases(ReplicaPrefix, ct);
        }
        var all = (await store.ListLeases(Prefix, ct)).Where(lease => lease.IsHeld).Select(lease => lease.Name).ToHashSet();
        var replicas = Math.Max(1, all.Count(name => name.StartsWith(ReplicaPrefix, StringComparison.Ordinal)));
        var share = (PushShards.Count + replicas - 1) / replicas;

        var surplus = held.Values.OrderBy(shard => shard.Shard).Skip(share).ToList();
        surplus.ForEach(shard => held.Remove(shard.Shard));
        var gained = new List<HeldShard>();
        for (short shard = 0; shard < PushShards.Count && held.Count < share; shard++)
        {
            if (held.ContainsKey(shard) || all.Contains($"{ShardPrefix}{shard}")
                || await leases.TryAcquire($"{ShardPrefix}{shard}", TakeoverAfter, ct) is not { } lease)
            {
                continue;
            }
            gained.Add(held[shard] = new HeldShard(shard, lease));
        }
        return (gained, lost, surplus);
    }

    public async Task GiveBack(IEnumerable<HeldShard> shards)
    {
        foreach (var shard in shards)
        {
            held.Remove(shard.Shard);
            await shard.Lease.DisposeAsync();
        }
    }

    /// <summary>Holds nothing any more. The leases are still to be given back.</summary>
    public (List<HeldShard> Shards, Lease? Presence) TakeAll()
    {
        var (all, mine) = (held.Values.ToList(), presence);
        held.Clear();
        presence = null;
        return (all, mine);
    }
}
