using Matrix.Replication;
using Matrix.Storage.Federation;
using Matrix.Storage.Inbox;

namespace Matrix.FederationReader.Receiving;

/// <summary>Forgets transactions of other servers that were answered long ago, and the ids of messages to devices. One replica does it, in small steps that hold up nobody.</summary>
sealed class TransactionPurge(InboxStore store, ReceivedEduStore edus, Leases leases, ReceivingOptions options, TimeProvider time) : BackgroundService
{
    const int AtOnce = 2000;

    static readonly TimeSpan Every = TimeSpan.FromMinutes(30), Pause = TimeSpan.FromMilliseconds(200), TakeoverAfter = TimeSpan.FromMinutes(2);

    /// <summary>Who sends a message again because the answer was lost does so after a day at the latest, unless it was away itself.</summary>
    static readonly TimeSpan MessageRetention = TimeSpan.FromDays(30);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        leases.Hold("federation-transaction-purge", TakeoverAfter, (_, ct) => Purge(ct), stoppingToken);

    async Task Purge(CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(Every, time, ct);
            while (await store.DeleteOld(options.TransactionRetention, AtOnce, ct) == AtOnce)
                await Task.Delay(Pause, time, ct);
            await edus.DeleteMessages(MessageRetention, ct);
        }
    }
}
