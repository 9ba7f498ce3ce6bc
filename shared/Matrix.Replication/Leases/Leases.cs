using System.Collections.Concurrent;
using Matrix.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Replication;

/// <summary>
/// Leases in Postgres, by its clock. All that a process holds are renewed together; one that is not renewed (its process died, or cannot reach
/// Postgres) is free after its duration, and one that is given back is free at once.
/// </summary>
public sealed partial class Leases(NpgsqlDataSource db, DatabaseOutage outage, TimeProvider time, ILogger<Leases> logger) : BackgroundService
{
    static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    static readonly TimeSpan ShortestDuration = TimeSpan.FromSeconds(3);

    readonly ConcurrentDictionary<Guid, Lease> _held = new();

    /// <summary>The lease, or null while somebody else holds it.</summary>
    /// <param name="name">What it is for, such as <c>destination:example.org</c>.</param>
    /// <param name="duration">How long after the last sign of life others wait. At least 3 s: renewals happen at a third of it.</param>
    public async Task<Lease?> TryAcquire(string name, TimeSpan duration, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, ShortestDuration);
        var (holder, now) = (Guid.NewGuid(), time.GetTimestamp());
        var fence = await db.FindOne<long?>("""
            INSERT INTO leases AS held (name, holder, fence, expires_at) VALUES (@name, @holder, 1, clock_timestamp() + @duration)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = held.fence + 1, expires_at = excluded.expires_at
            WHERE held.expires_at < clock_timestamp()
            RETURNING fence
            """, new { name, holder, duration }, ct);
        if (fence is not { } mine)
            return null;
        var lease = new Lease(this, name, holder, mine, duration, now);
        _held[holder] = lease;
        Acquired(name, mine);
        return lease;
    }

    /// <summary>
    /// Whenever nobody else holds the lease, takes it and runs the work under it, until cancelled. The work gets a token that fires when the
    /// lease is lost or the process stops; if it returns or fails, the lease is given back and tried for again after a pause.
    /// </summary>
    public async Task Hold(string name, TimeSpan duration, Func<Lease, CancellationToken, Task> work, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await using var lease = await TryAcquire(name, duration, ct);
                if (lease is not null)
                {
                    using var both = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, ct);
                    await work(lease, both.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // stopped, or lost the lease
            }
            catch (Exception e) when (DatabaseOutage.IsOne(e))
            {
                outage.Failed(e);
            }
            catch (Exception e)
            {
                WorkEnded(name, e); // whatever it was: the work is taken up again, here or elsewhere
            }
            try
            {
                await time.NextBeat(Tick, ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Gives back what is still held, so that another replica goes on at once.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await Task.WhenAll(_held.Values.Select(lease => lease.DisposeAsync().AsTask()));
    }

    internal async Task Release(Lease lease)
    {
        if (!_held.TryRemove(lease.Holder, out _) || lease.Lost.IsCancellationRequested)
            return;
        try
        {
            // The row stays: the fence must go on growing.
            await db.Execute("UPDATE leases SET expires_at = '-infinity' WHERE name = @Name AND holder = @Holder", new { lease.Name, lease.Holder });
        }
        catch (NpgsqlException e)
        {
            NotReleased(lease.Name, e);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await time.NextBeat(Tick, stoppingToken);
                await RenewDue(stoppingToken);
                LoseExpired();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // StopAsync gives back what is held
        }
    }

    async Task RenewDue(CancellationToken ct)
    {
        var now = time.GetTimestamp();
        var durations = _held.Values.Where(lease => time.GetElapsedTime(lease.HeldSince, now) + Tick / 4 >= lease.Duration / 3).Select(lease => lease.Duration).ToHashSet();
        if (durations.Count == 0)
            return;
        // with those of the same kind: what a process held that dies is then free at one moment
        var due = _held.Values.Where(lease => durations.Contains(lease.Duration)).ToList();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(Tick);
        try
        {
            var renewed = await db.List<Guid>("""
                UPDATE leases SET expires_at = clock_timestamp() + mine.duration
                FROM unnest(@names, @holders, @durations) AS mine (name, holder, duration)
                WHERE leases.name = mine.name AND leases.holder = mine.holder
                RETURNING leases.holder
                """, new
            {
                names = due.Select(lease => lease.Name).ToArray(),
                holders = due.Select(lease => lease.Holder).ToArray(),
                durations = due.Select(lease => lease.Duration).ToArray(),
            }, patience.Token);
            var ours = renewed.ToHashSet();
            foreach (var lease in due)
            {
                if (ours.Contains(lease.Holder))
                    lease.HeldSince = now;
                else
                    Lose(lease);
            }
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            if (DatabaseOutage.IsOne(e))
                outage.Failed(e);
            else
                NotRenewed(due.Count, e.Message);
        }
    }

    // Others wait for the whole duration; we stop a tick earlier, because our next look may be that late.
    void LoseExpired()
    {
        foreach (var lease in _held.Values.Where(lease => time.GetElapsedTime(lease.HeldSince) >= lease.Duration - Tick))
            Lose(lease);
    }

    void Lose(Lease lease)
    {
        if (!_held.TryRemove(lease.Holder, out _))
            return;
        Lost(lease.Name, lease.Fence);
        lease.Lose();
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Holding {Name}, fence {Fence}")]
    partial void Acquired(string name, long fence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lost {Name}, fence {Fence}")]
    partial void Lost(string name, long fence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} leases could not be renewed: {Reason}")]
    partial void NotRenewed(int count, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease {Name} could not be given back and will expire")]
    partial void NotReleased(string name, Exception cause);

    [LoggerMessage(Level = LogLevel.Error, Message = "The work under the lease {Name} ended")]
    partial void WorkEnded(string name, Exception cause);
}
