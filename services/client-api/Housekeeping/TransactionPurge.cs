using System.ComponentModel.DataAnnotations;
using Matrix.Replication;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Housekeeping;

/// <summary>How long what is needed for a while only is kept.</summary>
public sealed class HousekeepingOptions
{
    /// <summary>How long a client may repeat a request with the same transaction id and get the first event.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")] public TimeSpan TransactionIdRetention { get; init; } = TimeSpan.FromDays(7);
}

/// <summary>Forgets the transaction ids of events that were sent long ago. One replica does it, in small steps that hold up nobody.</summary>
sealed class TransactionPurge(EventStore events, Leases leases, HousekeepingOptions options, TimeProvider time) : BackgroundService
{
    const int AtOnce = 2000;

    static readonly TimeSpan Every = TimeSpan.FromMinutes(30), Pause = TimeSpan.FromMilliseconds(200), TakeoverAfter = TimeSpan.FromMinutes(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => leases.Hold("transaction-purge", TakeoverAfter, (_, ct) => Purge(ct), stoppingToken);

    async Task Purge(CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(Every, time, ct);
            while (await events.DeleteOldTransactions(options.TransactionIdRetention, AtOnce, ct) == AtOnce)
                await Task.Delay(Pause, time, ct);
        }
    }
}
