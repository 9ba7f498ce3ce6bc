using System.Threading.Channels;
using Matrix.Storage.Keys;
using Npgsql;

namespace Matrix.ClientApi.Sync.Devices;

/// <summary>
/// Deletes messages that their devices have, many together. What is lost here, with the process or while Postgres is away, is deleted when the
/// device next comes to a process that does not know it.
/// </summary>
sealed partial class ToDeviceSweeper(ToDeviceStore store, TimeProvider time, ILogger<ToDeviceSweeper> logger) : BackgroundService
{
    const int MostAtOnce = 500;

    // Longer than any client repeats a request.
    static readonly TimeSpan KeepTransactions = TimeSpan.FromDays(7);
    static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(500), TransactionsEvery = TimeSpan.FromHours(1);

    readonly Channel<(string User, string Device, long UpTo)> queue =
        Channel.CreateBounded<(string, string, long)>(new BoundedChannelOptions(10_000) { SingleReader = true });

    /// <summary>False when too much waits already.</summary>
    public bool Offer(string userId, string deviceId, long upTo) => queue.Writer.TryWrite((userId, deviceId, upTo));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var clock = time.CreateTimer(_ => _ = ForgetTransactions(stoppingToken), null, TransactionsEvery, TransactionsEvery);
        try
        {
            while (await queue.Reader.WaitToReadAsync(stoppingToken))
            {
                await Task.Delay(Gather, time, stoppingToken);
                while (Take() is { Count: > 0 } batch)
                    await Delete(batch, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the messages are deleted when their devices come back
        }
    }

    List<(string User, string Device, long UpTo)> Take()
    {
        var batch = new List<(string, string, long)>();
        while (batch.Count < MostAtOnce && queue.Reader.TryRead(out var item))
            batch.Add(item);
        return batch;
    }

    async Task Delete(List<(string User, string Device, long UpTo)> batch, CancellationToken ct)
    {
        try
        {
            await store.Delete([.. batch.Select(b => b.User)], [.. batch.Select(b => b.Device)], [.. batch.Select(b => b.UpTo)], ct);
        }
        catch (NpgsqlException e)
        {
            NotDeleted(batch.Count, e.Message);
        }
    }

    async Task ForgetTransactions(CancellationToken ct)
    {
        try
        {
            await store.DeleteTransactions(KeepTransactions, ct);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            NotDeleted(0, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Delivered messages of {Devices} devices are left for later: {Reason}")]
    partial void NotDeleted(int devices, string reason);
}
