using Matrix.Replication;
using Matrix.Storage.Inbox;

namespace Matrix.FederationReader.Receiving;

/// <summary>Forgets transactions of other servers that were answered long ago. One replica does it, in small steps that hold up nobody.</summary>
sealed class TransactionPurge(InboxStore store, Leases leases, ReceivingOptions options, TimeProvider time) : BackgroundService
{
    const int AtOnce = 2000;

    static readonly TimeSpan Every = TimeSpan.FromMinutes(30), Pause = TimeSpan.FromMilliseconds(200), TakeoverAfter = TimeSpan.FromMinutes(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        leases.Hold("federation-transaction-purge", TakeoverAfter, (_, ct) => Purge(ct), stoppingToken);

    async Task Purge(CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(Every, time, ct);
            while (await store.DeleteOld(options.TransactionRetention, AtOnce, ct) == AtOnce)
                await Task.Delay(Pause, time, ct);
        }
    }
}
