using System.Collections.Concurrent;
using Matrix.Rooms.Joining;
using Matrix.Storage;
using Matrix.Storage.Inbox;

namespace Matrix.FederationReader.Receiving;

/// <summary>
/// Works on the inbox: any replica takes any lane that nobody holds, and holds it by renewing. What a killed process held is taken by another when
/// <see cref="HeldFor"/> is over.
/// </summary>
sealed partial class InboxWorker(
    InboxStore store, InboxLanes lanes, PartialRooms partial, ReceivingOptions options, DatabaseOutage outage, TimeProvider time, ILogger<InboxWorker> logger) : BackgroundService
{
    const int MostCounted = 100_000;

    static readonly TimeSpan HeldFor = TimeSpan.FromSeconds(5), Tick = TimeSpan.FromSeconds(2), MeasureEvery = TimeSpan.FromSeconds(15);

    readonly Guid holder = Guid.NewGuid();
    readonly SemaphoreSlim wake = new(0, 1);
    readonly ConcurrentDictionary<InboxLane, Task> working = [];
    InboxDepth depth = new(0, 0, 0);

    /// <summary>Something has been put into the inbox, or a lane was finished.</summary>
    public void Wake()
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

    public override void Dispose()
    {
        wake.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var told = partial.Subscribe(Wake);
        var renewing = Renew(stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var free = options.LanesAtOnce - working.Count;
                var claimed = free > 0 ? await store.Claim(holder, HeldFor, free, stoppingToken) : [];
                foreach (var lane in claimed)
                    working[lane] = Task.Run(() => Work(lane, stoppingToken), CancellationToken.None);
                await wake.WaitAsync(time.UntilBeat(Tick), stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (DatabaseOutage.IsOne(e))
            {
                outage.Failed(e);
                await Task.Delay(Tick, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await renewing;
        await Task.WhenAll(working.Values);
    }

    async Task Work(InboxLane lane, CancellationToken ct)
    {
        try
        {
            await lanes.Drain(lane, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // another process goes on
        }
        catch (Exception e) when (DatabaseOutage.IsOne(e))
        {
            outage.Failed(e);
        }
        catch (Exception e)
        {
            Failed(lane.Origin, lane.RoomNid, e); // the edge of the loop: the lane comes round again
        }
        finally
        {
            working.TryRemove(lane, out _);
            Wake();
        }
    }

    async Task Renew(CancellationToken ct)
    {
        using var metrics = ReceivingMetrics.Observe(() => Volatile.Read(ref depth));
        var measured = time.GetTimestamp();
        try
        {
            while (true)
            {
                await time.NextBeat(Tick, ct);
                try
                {
                    if (!working.IsEmpty)
                        await store.Renew(holder, HeldFor, ct);
                    if (time.GetElapsedTime(measured) < MeasureEvery)
                        continue;
                    measured = time.GetTimestamp();
                    Volatile.Write(ref depth, await store.GetDepth(MostCounted, ct));
                }
                catch (Exception e) when (DatabaseOutage.IsOne(e))
                {
                    outage.Failed(e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // stopping
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The events of {Origin} in room {RoomNid} could not be worked on")]
    partial void Failed(string origin, long roomNid, Exception cause);
}
