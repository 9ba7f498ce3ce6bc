using System.Threading.Channels;
using Matrix.Storage;
using Matrix.Storage.Push;
using Npgsql;

namespace Matrix.Pusher.Work;

/// <summary>
/// Stores how far pushers have come. What is delivered at the same time is stored in one statement, and nothing more is delivered for a pusher before
/// it is stored: a process that is killed has told each gateway at most one thing of each pusher that will be told again.
/// </summary>
sealed class PushProgress(PushProgressStore store, DatabaseOutage outage, TimeProvider time) : BackgroundService
{
    const int Most = 1000;

    readonly Channel<Move> moves = Channel.CreateUnbounded<Move>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Stores a delivery; false: the pusher is gone. Tries until it succeeds or is cancelled.</summary>
    public async Task<bool> Store(CursorMove move, CancellationToken ct)
    {
        var stored = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        moves.Writer.TryWrite(new Move(move, stored));
        return await stored.Task.WaitAsync(ct);
    }

    /// <summary>Stores how far shards have come, in turn with deliveries, so that the two never wait for each other's rows.</summary>
    public Task Checkpoint(IReadOnlyCollection<ShardPlace> shards, IReadOnlyCollection<WaitingPushes> waiting, CancellationToken ct) =>
        InTurn(() => store.Checkpoint(shards, waiting, ct), ct);

    /// <summary>Does something else with the rows of pushers' cursors, in turn.</summary>
    public async Task InTurn(Func<Task> work, CancellationToken ct)
    {
        var stored = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        moves.Writer.TryWrite(new Move(default, stored, work));
        await stored.Task.WaitAsync(ct);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<Move>();
        try
        {
            while (await moves.Reader.WaitToReadAsync(stoppingToken))
            {
                batch.Clear();
                while (batch.Count < Most && moves.Reader.TryRead(out var move))
                    batch.Add(move);
                await StoreDeliveries([.. batch.Where(move => move.Other is null)], stoppingToken);
                foreach (var move in batch.Where(move => move.Other is not null))
                    await RunOther(move);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // whoever waits was told to stop before
        }
    }

    async Task StoreDeliveries(List<Move> deliveries, CancellationToken ct)
    {
        if (deliveries.Count == 0)
            return;
        // a queue has one worker, so a pusher is here twice only if it changed hands within this process
        var newest = deliveries.GroupBy(move => move.Cursor.PusherId).Select(of => of.MaxBy(move => move.Cursor.Cursor).Cursor).OrderBy(m => m.PusherId).ToList();
        while (true)
        {
            try
            {
                var present = (await store.Advance(newest, ct)).ToHashSet();
                foreach (var move in deliveries)
                    move.Stored.TrySetResult(present.Contains(move.Cursor.PusherId));
                return;
            }
            catch (NpgsqlException e)
            {
                outage.Failed(e);
                await Task.Delay(TimeSpan.FromSeconds(1), time, ct);
            }
        }
    }

    static async Task RunOther(Move move)
    {
        try
        {
            await move.Other!();
            move.Stored.TrySetResult(true);
        }
        catch (Exception e)
        {
            move.Stored.TrySetException(e); // who asked for it decides
        }
    }

    readonly record struct Move(CursorMove Cursor, TaskCompletionSource<bool> Stored, Func<Task>? Other = null);
}
