using Matrix.Storage;
using Npgsql;

namespace Matrix.Replication;

/// <summary>A part of some work, and the lease under which this replica does it.</summary>
public sealed record LeasedShard(short Number, Lease Lease)
{
    public bool IsLost => Lease.Lost.IsCancellationRequested;
}

/// <summary>What changed for this replica.</summary>
/// <param name="Lost">No longer held: another replica may be at them already.</param>
/// <param name="Surplus">Held still, and to be given back.</param>
public sealed record ShardChanges(IReadOnlyList<LeasedShard> Gained, IReadOnlyList<LeasedShard> Lost, IReadOnlyList<LeasedShard> Surplus);

/// <summary>
/// Shares the shards of some work among the replicas that live: each has a lease that says that it is there, and holds as many shards as come to each
/// of them. Whoever has more is told to give some back; who has fewer takes those that nobody holds. For one loop: nothing here is called twice at a time.
/// </summary>
/// <param name="scope">What the names of all these leases begin with, and of no others.</param>
/// <param name="shards">What the names of the shards' leases begin with. Their fences are stored with the work: never change it.</param>
/// <param name="count">How many shards there are.</param>
public sealed class ShardLeases(Leases leases, NpgsqlDataSource db, string scope, string shards, short count)
{
    static readonly TimeSpan s_takeoverAfter = TimeSpan.FromSeconds(5), s_justAfter = TimeSpan.FromMilliseconds(50);

    readonly string _replica = $"{scope}replica:{Guid.NewGuid():n}";
    readonly Dictionary<short, LeasedShard> _held = [];
    Lease? _presence;
    TimeSpan? _nextFree;

    public IReadOnlyCollection<LeasedShard> Held => _held.Values;

    /// <summary>How long to wait for the next look: so long, or until another's lease runs out that is not renewed by then.</summary>
    public TimeSpan Wait(TimeSpan most) => _nextFree is { } next && next < most ? next : most;

    /// <summary>Takes what is due to this replica; to be called every few seconds (<see cref="Wait"/>). What has come back as lost is not held any more.</summary>
    public async Task<ShardChanges> Balance(CancellationToken ct)
    {
        _nextFree = null;
        var lost = _held.Values.Where(shard => shard.IsLost).ToList();
        lost.ForEach(shard => _held.Remove(shard.Number));
        try
        {
            var living = await ListLiving(ct);
            var replicas = Math.Max(1, living.Count(name => name.StartsWith($"{scope}replica:", StringComparison.Ordinal)));
            var share = (count + replicas - 1) / replicas;
            var surplus = _held.Values.OrderBy(shard => shard.Number).Skip(share).ToList();
            return new ShardChanges(await Take(share - _held.Count, living, ct), lost, surplus);
        }
        catch (NpgsqlException) when (lost.Count > 0)
        {
            return new ShardChanges([], lost, []); // that they are lost is to be heard now; the next call asks again
        }
    }

    /// <summary>Lets others have them, at once.</summary>
    public async Task GiveBack(IEnumerable<LeasedShard> given)
    {
        foreach (var shard in given)
        {
            if (_held.GetValueOrDefault(shard.Number) == shard)
                _held.Remove(shard.Number);
            await shard.Lease.DisposeAsync();
        }
    }

    /// <summary>Takes no part any more: the others share what was given back.</summary>
    public async Task Leave()
    {
        await GiveBack([.. _held.Values]);
        if (_presence is { } mine)
            await mine.DisposeAsync();
        _presence = null;
    }

    async Task<IReadOnlyList<LeasedShard>> Take(int wanted, IReadOnlySet<string> living, CancellationToken ct)
    {
        if (wanted <= 0)
            return [];
        var gained = new List<LeasedShard>();
        var free = Enumerable.Range(0, count).Select(number => (short)number).Where(number => !living.Contains($"{shards}{number}")).ToArray();
        Random.Shared.Shuffle(free); // replicas that begin together do not race for the same ones
        try
        {
            foreach (var number in free.Where(number => !_held.ContainsKey(number)))
            {
                if (gained.Count == wanted)
                    break;
                if (await leases.TryAcquire($"{shards}{number}", s_takeoverAfter, ct) is { } lease)
                    gained.Add(_held[number] = new LeasedShard(number, lease));
            }
        }
        catch (NpgsqlException) when (gained.Count > 0)
        {
            // what was taken until then has to be worked on
        }
        return gained;
    }

    /// <summary>The leases of this work that somebody holds; by primary key. Says first that this replica is there.</summary>
    async Task<IReadOnlySet<string>> ListLiving(CancellationToken ct)
    {
        if (_presence is null or { Lost.IsCancellationRequested: true })
        {
            _presence = await leases.TryAcquire(_replica, s_takeoverAfter, ct);
            await db.Execute(
                """
                DELETE FROM leases
                WHERE name >= @prefix AND name < @prefix || '~' AND expires_at < clock_timestamp() - interval '1 hour'
                """, new { prefix = $"{scope}replica:" }, ct);
        }
        var living = await db.List<Living>(
            """
            SELECT name, expires_at - clock_timestamp() AS rest FROM leases
            WHERE name >= @scope AND name < @scope || '~' AND expires_at > clock_timestamp()
            """, new { scope }, ct);
        var own = _held.Values.Select(shard => shard.Lease.Name).Append(_replica).ToHashSet(StringComparer.Ordinal);
        var others = living.Where(lease => !own.Contains(lease.Name)).ToList();
        if (others.Count > 0)
            _nextFree = others.Min(lease => lease.Rest) + s_justAfter;
        return living.Select(lease => lease.Name).ToHashSet(StringComparer.Ordinal);
    }

    sealed record Living(string Name, TimeSpan Rest);
}
