using Matrix.Replication;
using Matrix.Rooms.Unread;
using Matrix.Storage;
using Matrix.Storage.Federation;
using Matrix.Storage.Sync;

namespace Matrix.FederationReader.Edus;

/// <summary>
/// Receipts that overtook their events: these are still being fetched, or come from another server. Looked for soon after they came, and now and then for those
/// that another process has kept.
/// </summary>
sealed partial class WaitingReceipts(
    WaitingReceiptStore store, LogWriter log, DatabaseOutage outage, TimeProvider time, ILogger<WaitingReceipts> logger) : BackgroundService
{
    const int MostOfServer = 10_000, AtOnce = 200;

    static readonly TimeSpan Soon = TimeSpan.FromSeconds(1), Late = TimeSpan.FromMinutes(1);

    readonly SemaphoreSlim wake = new(0, 1);

    public async Task Keep(string origin, IReadOnlyList<WaitingReceipt> receipts, CancellationToken ct)
    {
        await store.Insert(origin, receipts, MostOfServer, ct);
        if (wake.CurrentCount == 0)
            Wake();
    }

    public override void Dispose()
    {
        wake.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long? last = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // pauses double: two minutes after the last one came there is little that still waits
                var isSoon = last is { } came && time.GetElapsedTime(came) < 2 * Late;
                if (await wake.WaitAsync(isSoon ? Soon : Late, stoppingToken))
                {
                    last = time.GetTimestamp();
                    await Task.Delay(Soon, time, stoppingToken);
                }
                while (await Settle(stoppingToken) == AtOnce)
                {
                }
                if (!isSoon)
                    await store.DeleteOld(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (DatabaseOutage.IsOne(e) || e is LogUnavailableException)
            {
                outage.Failed(e);
            }
            catch (Exception e)
            {
                NotSettled(e); // the edge of the loop: they are due again later
            }
        }
    }

    /// <returns>How many were looked for.</returns>
    async Task<int> Settle(CancellationToken ct)
    {
        var due = await store.TakeDue(AtOnce, ct);
        var arrived = due.Where(receipt => receipt.EventPosition is not null).ToList();
        if (arrived.Count == 0)
            return due.Count;
        var writing = new List<Task>(arrived.Count);
        foreach (var r in arrived)
            writing.Add(await log.Post(new ReceiptMoved(new Receipt(r.RoomNid, r.UserId, Receipt.Read, r.ThreadId, r.EventId, r.Ts, 0), r.EventPosition!.Value), ct));
        await Task.WhenAll(writing);
        await store.Delete(arrived, ct);
        return due.Count;
    }

    void Wake()
    {
        try
        {
            wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // it is to look anyway
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Receipts that waited for their events could not be taken in")]
    partial void NotSettled(Exception cause);
}
