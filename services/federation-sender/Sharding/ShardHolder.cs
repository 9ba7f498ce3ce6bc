using Matrix.FederationSender.Queues;
using Matrix.FederationSender.Routing;
using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Federation;
using Npgsql;

namespace Matrix.FederationSender.Sharding;

/// <summary>
/// Holds this replica's share of the shards: as many as there are for each replica that is alive. Who has too many gives some back, who has too few
/// takes those that nobody holds. While there are no other servers, nothing is held and nothing asked.
/// </summary>
sealed partial class ShardHolder(
    Leases leases, NpgsqlDataSource db, LogFollower follower, LogAttention attention, LogRouter router, Deliveries deliveries, DestinationDrain drain, DeliveryRecord record,
    DestinationStore store, DatabaseOutage outage, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ShardHolder> logger) : BackgroundService
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    readonly ShardLeases shards = new(leases, db, "federation-sender:", "federation-sender:", Shard.Count);
    readonly List<HeldShard> held = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        try
        {
            await WaitForOthers(ending.Token);
            await attention.Attend(true, ending.Token);
            using var metrics = SenderMetrics.Observe(deliveries);
            var routing = router.Run(ending.Token);
            var recording = record.Run(ending.Token);
            while (!ending.IsCancellationRequested)
            {
                await Balance(ending.Token);
                await Task.WhenAny(routing, recording, Task.Delay(shards.Wait(time.UntilBeat(Every)), time, ending.Token));
                if (routing.IsFaulted || recording.IsFaulted)
                    await Task.WhenAll(routing, recording);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // below
        }
        finally
        {
            await GiveBack();
        }
    }

    /// <summary>Until there is another server to deliver to, of which the log tells by a member of a room or a message.</summary>
    async Task WaitForOthers(CancellationToken ct)
    {
        using var hint = new SemaphoreSlim(1);
        using var subscription = follower.Subscribe(entries =>
        {
            if (hint.CurrentCount == 0 && entries.Any(entry => entry is { Kind: LogKind.Event, Key: "m.room.member" }
                or { Kind: LogKind.StateMerge or LogKind.OutgoingMessages }))
                hint.Release();
        });
        while (true)
        {
            await hint.WaitAsync(ct);
            try
            {
                if (await store.Any(ct))
                    return;
            }
            catch (NpgsqlException e)
            {
                outage.Failed(e);
                await Task.Delay(Every, time, ct);
                hint.Release();
            }
        }
    }

    async Task Balance(CancellationToken ct)
    {
        try
        {
            var (gained, lost, surplus) = await shards.Balance(ct);
            foreach (var shard in lost)
                Forget(Held(shard));
            foreach (var shard in surplus)
                await GiveBack(shard, ct);
            await Take(gained, ct);
        }
        catch (NpgsqlException e)
        {
            outage.Failed(e);
        }
    }

    async Task Take(IReadOnlyList<LeasedShard> gained, CancellationToken ct)
    {
        if (gained.Count == 0)
            return;
        var taken = gained.Select(shard => new HeldShard(shard.Number, shard.Lease, CancellationTokenSource.CreateLinkedTokenSource(shard.Lease.Lost))).ToArray();
        held.AddRange(taken);
        await router.TakeOver(taken, ct);
    }

    HeldShard Held(LeasedShard shard) => held.First(one => one.Lease == shard.Lease);

    void Forget(HeldShard shard)
    {
        held.Remove(shard);
        shard.End();
        deliveries.Drop(shard);
    }

    async Task GiveBack(LeasedShard shard, CancellationToken ct)
    {
        GivingBack(shard.Number);
        var mine = Held(shard);
        await record.Save([mine], ct);
        Forget(mine);
        await shards.GiveBack([shard]);
    }

    // What is under way is left to its end for a moment: it need not be sent again by another.
    async Task GiveBack()
    {
        if (held.Count == 0)
        {
            await shards.Leave();
            return;
        }
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        try
        {
            await drain.Finish(TimeSpan.FromSeconds(2));
            await record.Save(held, patience.Token);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            NotSaved(e.Message);
        }
        held.ToList().ForEach(Forget);
        await shards.Leave();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Giving shard {Shard} to another replica")]
    partial void GivingBack(short shard);

    [LoggerMessage(Level = LogLevel.Warning, Message = "How far deliveries are was not stored at the end; some will be repeated: {Reason}")]
    partial void NotSaved(string reason);
}
