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
    Leases leases, LogFollower follower, LogAttention attention, LogRouter router, Deliveries deliveries, DeliveryRecord record, DestinationStore store,
    DatabaseOutage outage, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ShardHolder> logger) : BackgroundService
{
    const string Prefix = "federation-sender:";
    static readonly TimeSpan TakeoverAfter = TimeSpan.FromSeconds(6), Every = TimeSpan.FromSeconds(2);

    readonly Guid replica = Guid.NewGuid();
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
                await Task.WhenAny(routing, recording, Task.Delay(Every, time, ending.Token));
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
            foreach (var lost in held.Where(shard => shard.Lost.IsCancellationRequested).ToArray())
                Forget(lost);
            var share = await store.Share(replica, Prefix, TakeoverAfter, ct);
            var fair = (int)((Shard.Count + share.Others) / (share.Others + 1));
            while (held.Count > fair)
                await GiveBack(held[^1], ct);
            var free = Enumerable.Range(0, Shard.Count).Select(number => (short)number).Where(number => !share.Held.Contains(Name(number))).ToArray();
            Random.Shared.Shuffle(free); // replicas that begin together do not race for the same ones
            await Take([.. free.Take(fair - held.Count)], ct);
        }
        catch (NpgsqlException e)
        {
            outage.Failed(e);
        }
    }

    async Task Take(short[] numbers, CancellationToken ct)
    {
        var taken = new List<HeldShard>();
        foreach (var number in numbers)
        {
            if (await leases.TryAcquire(Name(number), TakeoverAfter, ct) is { } lease)
                taken.Add(new HeldShard(number, lease, CancellationTokenSource.CreateLinkedTokenSource(lease.Lost)));
        }
        if (taken.Count == 0)
            return;
        held.AddRange(taken);
        await router.TakeOver([.. taken], ct);
    }

    void Forget(HeldShard shard)
    {
        held.Remove(shard);
        shard.End();
        deliveries.Drop(shard);
    }

    async Task GiveBack(HeldShard shard, CancellationToken ct)
    {
        GivingBack(shard.Number);
        await record.Save([shard], ct);
        Forget(shard);
        await shard.Lease.DisposeAsync();
    }

    // What is under way is left to its end for a moment: it need not be sent again by another.
    async Task GiveBack()
    {
        if (held.Count == 0)
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        try
        {
            await deliveries.Finish(TimeSpan.FromSeconds(2));
            await record.Save(held, patience.Token);
            await store.Leave(replica, patience.Token);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            NotSaved(e.Message);
        }
        foreach (var shard in held.ToArray())
        {
            Forget(shard);
            await shard.Lease.DisposeAsync();
        }
    }

    static string Name(short number) => $"{Prefix}{number}";

    [LoggerMessage(Level = LogLevel.Information, Message = "Giving shard {Shard} to another replica")]
    partial void GivingBack(short shard);

    [LoggerMessage(Level = LogLevel.Warning, Message = "How far deliveries are was not stored at the end; some will be repeated: {Reason}")]
    partial void NotSaved(string reason);
}
