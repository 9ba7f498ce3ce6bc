using Matrix.FederationSender.Queues;
using Matrix.Storage;
using Matrix.Storage.Federation;
using Npgsql;

namespace Matrix.FederationSender.Sharding;

/// <summary>
/// Stores how far deliveries are, once a second if anything changed: one position for each shard, and a row for each destination that is behind it. What was
/// delivered after the last time is delivered again after a crash, under the same event ids and message ids, by which it is known.
/// </summary>
sealed partial class DeliveryRecord(
    Deliveries deliveries, DestinationDrain drain, DestinationStore store, DatabaseOutage outage, TimeProvider time, ILogger<DeliveryRecord> logger) : IDisposable
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(3), SweepEvery = TimeSpan.FromMinutes(1), CleanEvery = TimeSpan.FromHours(1);

    readonly SemaphoreSlim saving = new(1), hint = new(0, 1);

    public void Dispose()
    {
        saving.Dispose();
        hint.Dispose();
    }

    public async Task Run(CancellationToken ct)
    {
        drain.CameBack += _ => Hint();
        var (swept, cleaned) = (time.GetTimestamp(), time.GetTimestamp());
        while (true)
        {
            await hint.WaitAsync(time.UntilBeat(Every), ct);
            try
            {
                await Save([.. deliveries.Held], ct);
                if (time.GetElapsedTime(cleaned) >= CleanEvery)
                {
                    await store.DeleteTurnedAway(Shard.Count, ct);
                    await store.DeleteSettled(ct);
                    cleaned = time.GetTimestamp();
                }
            }
            catch (NpgsqlException e)
            {
                if (DatabaseOutage.IsOne(e))
                    outage.Failed(e);
                else
                    NotStored(e.Message);
            }
            if (time.GetElapsedTime(swept) < SweepEvery)
                continue;
            deliveries.Sweep();
            swept = time.GetTimestamp();
        }
    }

    // That a server takes things again is stored at once: who goes on for this replica would else leave it alone until its next attempt.
    void Hint()
    {
        try
        {
            hint.Release();
        }
        catch (SemaphoreFullException)
        {
            // it is to be stored anyway
        }
    }

    /// <summary>Stores what changed of these shards.</summary>
    public async Task Save(IReadOnlyCollection<HeldShard> shards, CancellationToken ct)
    {
        await saving.WaitAsync(ct);
        try
        {
            // of a shard that is still being taken over nothing is known yet: this replica may end in the middle of that
            shards = [.. shards.Where(deliveries.Holds)];
            var routed = deliveries.Routed; // before the destinations are looked at: they have everything up to here
            var positions = shards.ToDictionary(shard => shard, _ => routed);
            var rows = new List<(Destination Destination, DestinationRow Row, int Version)>();
            var (now, patience) = (time.GetTimestamp(), (long)(Patience.TotalSeconds * time.TimestampFrequency));
            foreach (var destination in deliveries.All)
            {
                if (!positions.TryGetValue(destination.Holder, out var position))
                    continue;
                var (row, holds, version) = destination.Snapshot(now, patience);
                if (row is not null)
                    rows.Add((destination, row, version));
                if (holds < position)
                    positions[destination.Holder] = holds.Value;
            }
            var moved = shards.Where(shard => positions[shard] > shard.Position).ToArray();
            if (moved.Length + rows.Count == 0)
                return;
            await store.Save([.. rows.Select(row => row.Row)], [.. moved.Select(shard => (shard.Number, positions[shard], shard.Fence))],
                shards.ToDictionary(shard => shard.Number, shard => shard.Fence), ct);
            rows.ForEach(row => row.Destination.Saved(row.Row, row.Version));
            Array.ForEach(moved, shard => shard.Position = positions[shard]);
        }
        finally
        {
            saving.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "How far deliveries are was not stored: {Reason}")]
    partial void NotStored(string reason);
}
