using Matrix.Federation;
using Matrix.Protocol;
using Microsoft.Extensions.Options;

namespace Matrix.FederationSender.Queues;

/// <summary>
/// Sends transactions, so many at a time. One whose content the other server refuses is taken apart until what it refuses is found, and that is left out: one
/// event that a server does not bear would else hold up for ever all that comes after it.
/// </summary>
sealed partial class TransactionSender : IDisposable
{
    static readonly FederationTransaction Nothing = new([], [], [], 0);

    readonly FederationClient client;
    readonly SenderOptions options;
    readonly string origin;
    readonly TimeProvider time;
    readonly ILogger<TransactionSender> logger;
    readonly SemaphoreSlim places, retryPlaces;
    readonly string run = Guid.NewGuid().ToString("N")[..8];
    long transactions;
    int underway;

    public TransactionSender(FederationClient client, ServerSigningKey own, IOptions<SenderOptions> options, TimeProvider time, ILogger<TransactionSender> logger)
    {
        (this.client, this.options, this.time, this.logger) = (client, options.Value, time, logger);
        origin = own.ServerName.ToString();
        (places, retryPlaces) = (new SemaphoreSlim(this.options.Concurrency), new SemaphoreSlim(this.options.RetryConcurrency));
    }

    public int Underway => Volatile.Read(ref underway);

    /// <exception cref="FederationException">The server did not take it, and not because of what is in it.</exception>
    public async Task Send(Destination destination, FederationTransaction transaction, CancellationToken ct)
    {
        var slots = destination.Failing is null ? places : retryPlaces;
        await slots.WaitAsync(ct);
        Interlocked.Increment(ref underway);
        try
        {
            await SendOrTakeApart(destination.Server, transaction, ct);
        }
        finally
        {
            Interlocked.Decrement(ref underway);
            slots.Release();
        }
    }

    public void Dispose()
    {
        places.Dispose();
        retryPlaces.Dispose();
    }

    async Task SendOrTakeApart(ServerName server, FederationTransaction transaction, CancellationToken ct)
    {
        try
        {
            await Put(server, transaction, ct);
        }
        catch (FederationException e) when (e is { Failure: FederationFailure.Refused, Status: 400 or 413 })
        {
            if (transaction.Count > 1)
            {
                foreach (var part in transaction.Halves())
                    await SendOrTakeApart(server, part, ct);
                return;
            }
            // a server that refuses even nothing is not well: it is tried again later
            await Put(server, Nothing, ct);
            LeftOut(server, transaction.Pdus is [var pdu] ? $"the event at {pdu.Position}" : "an EDU", e.Message);
            SenderMetrics.LeftOut();
        }
    }

    async Task Put(ServerName server, FederationTransaction transaction, CancellationToken ct)
    {
        var number = Interlocked.Increment(ref transactions);
        var body = transaction.Write(origin, time.GetUtcNow().ToUnixTimeMilliseconds());
        var began = time.GetTimestamp();
        await client.Put<byte[]>(server, $"/_matrix/federation/v1/send/{run}{number}", body, ct, new FederationRequest { Timeout = options.Timeout, SkipBackoff = true });
        SenderMetrics.Delivered(transaction, time.GetElapsedTime(began));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Destination} refuses {What}, which is left out: {Reason}")]
    partial void LeftOut(ServerName destination, string what, string reason);
}
