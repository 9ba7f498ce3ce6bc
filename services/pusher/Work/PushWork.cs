using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Push;
using Npgsql;

namespace Matrix.Pusher.Work;

/// <summary>
/// Holds this replica's part of the shards, and follows the log for their pushers. One loop does everything but delivering, so nothing here is done
/// twice at a time. It begins where the shard's last holder had stored that it was; README.md says why nothing is lost.
/// </summary>
sealed partial class PushWork(
    Leases leases, NpgsqlDataSource db, PushLoading loading, PushDispatcher dispatcher, PushRunner runner, PushRooms rooms, PushProgress progress, PushProgressStore store,
    LogFollower follower, LogReader reader, LogAttention attention, PushOptions options, DatabaseOutage outage, TimeProvider time, ILogger<PushWork> logger)
    : BackgroundService, IHostedLifecycleService
{
    const int PageSize = 1000;
    static readonly TimeSpan BalanceEvery = TimeSpan.FromSeconds(2), CheckpointEvery = TimeSpan.FromSeconds(1), IdleCheckpointEvery = TimeSpan.FromSeconds(10),
        StopPatience = TimeSpan.FromSeconds(8);

    readonly ShardLeases shards = Shards(leases, db);
    readonly PushRoster roster = new();
    readonly SemaphoreSlim news = new(0, 1);
    readonly CancellationTokenSource stopping = new();
    LogPosition position; // looked through up to here, for all shards that are held
    long stored;          // the same, as it is in the database
    long balancedAt, checkpointAt;

    public static ShardLeases Shards(Leases leases, NpgsqlDataSource db) => new(leases, db, "push:", "push:shard:", PushShards.Count);

    /// <summary>Before anything of the process stops: what is under way ends, and another replica goes on at once.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        if (ExecuteTask is { } running)
            await running.WaitAsync(cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Dispose()
    {
        news.Dispose();
        stopping.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Enabled)
            return;
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, stopping.Token);
        var ct = both.Token;
        using var subscription = follower.Subscribe(_ => Signal());
        using var metrics = PushMetrics.Observe(runner);
        try
        {
            await follower.Started.WaitAsync(ct);
            while (true)
            {
                await Try(Step, ct);
                await news.WaitAsync(roster.Count > 0 && position.Value > stored ? CheckpointEvery : shards.Wait(time.UntilBeat(BalanceEvery)), ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await GiveBackAll();
        }
    }

    void Signal()
    {
        if (news.CurrentCount > 0)
            return;
        try
        {
            news.Release();
        }
        catch (SemaphoreFullException)
        {
            // somebody else was quicker
        }
    }

    async Task Try(Func<CancellationToken, Task> work, CancellationToken ct)
    {
        try
        {
            await work(ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            if (DatabaseOutage.IsOne(e))
                outage.Failed(e);
            else
                StepFailed(e); // whatever it was: the log is where it was, and is looked at again
            await Task.Delay(CheckpointEvery, time, ct);
        }
    }

    async Task Step(CancellationToken ct)
    {
        if (balancedAt == 0 || time.GetElapsedTime(balancedAt) >= shards.Wait(BalanceEvery * 0.75))
        {
            await Balance(ct);
            balancedAt = time.GetTimestamp();
        }
        if (shards.Held.Count > 0)
            await Follow(ct);
        await attention.Attend(roster.Count > 0, ct);
        if (position.Value > stored && time.GetElapsedTime(checkpointAt) >= (HasWaiting ? CheckpointEvery : IdleCheckpointEvery))
            await Checkpoint(shards.Held, ct);
    }

    bool HasWaiting => position.Value - stored > PageSize || roster.Users.Any(user => user.Queues.Any(queue => !queue.IsMail && queue.Count > 0));

    async Task Balance(CancellationToken ct)
    {
        var hadNone = shards.Held.Count == 0;
        var (gained, lost, surplus) = await shards.Balance(ct);
        foreach (var shard in lost)
            roster.RemoveShard(shard.Number);
        if (surplus.Count > 0)
            await GiveBack(surplus, ct);
        if (gained.Count > 0)
        {
            try
            {
                await Take(gained, hadNone, ct);
            }
            catch
            {
                await shards.GiveBack(gained); // nobody works for what could not be read
                throw;
            }
            Taken(gained.Count, shards.Held.Count, position);
        }
    }

    /// <summary>Begins to work for shards: reads their pushers, and looks through what was not looked through of the log.</summary>
    async Task Take(IReadOnlyList<LeasedShard> gained, bool hadNone, CancellationToken ct)
    {
        var places = new Dictionary<short, (LeasedShard Held, long Position)>();
        foreach (var shard in gained)
        {
            if (await store.Begin(shard.Number, shard.Lease.Fence, ct) is { } begin)
                places[shard.Number] = (shard, begin);
        }
        if (places.Count == 0)
            return;
        rooms.Forget();
        var from = new LogPosition(places.Values.Min(place => place.Position));
        var taken = await loading.Load(places, ct);
        if (hadNone)
            (position, stored, checkpointAt) = (from, from.Value, time.GetTimestamp());
        else
        {
            while (from < position)
                from = await Page(from, position, taken, ct);
        }
        roster.Add(taken);
        foreach (var queue in taken.Users.SelectMany(user => user.Queues))
            runner.Wake(queue);
    }

    async Task Follow(CancellationToken ct)
    {
        for (var to = follower.Position; position < to; to = follower.Position)
            position = await Page(position, to, roster, ct);
    }

    async Task<LogPosition> Page(LogPosition from, LogPosition to, PushRoster of, CancellationToken ct)
    {
        if (!follower.Recent.TryRead(from, to, out var entries))
            entries = [.. (await reader.ReadAfter(from, PageSize, ct)).Where(entry => entry.Position <= to)];
        if (entries.Count == 0)
            return to;
        await Reload(entries, of, ct);
        await dispatcher.Dispatch(entries, of, ct);
        return entries[^1].Position;
    }

    async Task Reload(IReadOnlyList<LogEntry> entries, PushRoster of, CancellationToken ct)
    {
        foreach (var userId in entries.Where(e => e.Kind == LogKind.Pushers || (e.Kind == LogKind.Session && of.Find(e.UserId) is not null))
            .Select(e => e.UserId).OfType<string>().Distinct())
        {
            var shard = PushShards.Of(userId);
            if (shards.Held.FirstOrDefault(held => held.Number == shard) is not { } held)
                continue;
            if (of.Find(userId) is null)
                rooms.Forget();
            foreach (var queue in await loading.Reload(userId, held, of, ct))
            {
                queue.Retry();
                runner.Wake(queue);
            }
        }
    }

    async Task Checkpoint(IReadOnlyCollection<LeasedShard> held, CancellationToken ct)
    {
        var (at, of) = (position.Value, held.Select(shard => shard.Number).ToHashSet());
        var taken = roster.Users.Where(user => of.Contains(user.Shard)).SelectMany(user => user.Queues)
            .Select(queue => (Queue: queue, Waiting: queue.TakeWaiting())).Where(one => one.Waiting is not null).ToList();
        try
        {
            await progress.Checkpoint(
                [.. held.Select(shard => new ShardPlace(shard.Number, shard.Lease.Fence, at))], [.. taken.Select(one => one.Waiting!.Value)], ct);
            (stored, checkpointAt) = (at, time.GetTimestamp());
        }
        catch
        {
            taken.ForEach(one => one.Queue.WaitingWasNotStored());
            throw;
        }
    }

    async Task GiveBackAll()
    {
        using var patience = new CancellationTokenSource(StopPatience, time);
        try
        {
            await GiveBack([.. shards.Held], patience.Token);
            await shards.Leave();
        }
        catch (Exception e)
        {
            NotGivenBack(e); // the leases run out
        }
    }

    /// <summary>Nothing new is begun; what is under way ends and is stored; then another replica may go on.</summary>
    async Task GiveBack(IReadOnlyList<LeasedShard> given, CancellationToken ct)
    {
        var of = given.Select(shard => shard.Number).ToHashSet();
        var queues = roster.Users.Where(user => of.Contains(user.Shard)).SelectMany(user => user.Queues).ToList();
        queues.ForEach(queue => queue.Close());
        await runner.WaitFor(queues, StopPatience / 2);
        await Checkpoint(given, ct);
        foreach (var shard in given)
            roster.RemoveShard(shard.Number);
        await shards.GiveBack(given);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Took {Count} shards of pushers and holds {Held}, from log position {Position}")]
    partial void Taken(int count, int held, LogPosition position);

    [LoggerMessage(Level = LogLevel.Error, Message = "Following the log for pushers failed and is tried again")]
    partial void StepFailed(Exception cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pushers could not be handed over and will be taken over")]
    partial void NotGivenBack(Exception cause);
}
