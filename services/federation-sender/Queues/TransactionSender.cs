using Matrix.Federation;
using Matrix.Protocol;
using Microsoft.Extensions.Options;

namespace Matrix.FederationSender.Queues;

/// <summary>
/// Sends transactions, so many at a time. One whose content the other server refuses is taken apart until what it refuses is found, and that is left out: one
/// event that a server does not bear would else hold up for ever all that comes after it. But a server that refuses every one is not well, whatever it says:
/// then nothing is left out. Which of the two it is, is seen by what it takes beside, or of what waits behind: an event that is refused alone waits for others.
/// </summary>
sealed partial class TransactionSender : IDisposable
{
    static readonly FederationTransaction Nothing = new([], [], [], 0);

    const int MaxAnswerBytes = 1 << 20;

    readonly FederationClient client;
    readonly DestinationBackoff backoff;
    readonly SenderOptions options;
    readonly string origin;
    readonly TimeProvider time;
    readonly ILogger<TransactionSender> logger;
    readonly SendingPlaces places, retryPlaces;
    readonly string run = Guid.NewGuid().ToString("N")[..8];
    long transactions;
    int underway;

    public TransactionSender(FederationClient client, DestinationBackoff backoff, ServerSigningKey own, IOptions<SenderOptions> options, TimeProvider time,
        ILogger<TransactionSender> logger)
    {
        (this.client, this.backoff, this.options, this.time, this.logger) = (client, backoff, options.Value, time, logger);
        origin = own.ServerName.ToString();
        (places, retryPlaces) = (Places(this.options.Concurrency), Places(this.options.RetryConcurrency));

        SendingPlaces Places(int count) => new(count, this.options.SlowConcurrency, this.options.SlowAfter, time);
    }

    /// <summary>Did the server refuse what it was sent for what is in it?</summary>
    public static bool IsForContent(FederationException e) => e is { Failure: FederationFailure.Refused, Status: 400 or 413 };

    public int Underway => Volatile.Read(ref underway);

    /// <param name="behind">Some of what comes after it, by which to try whether the server takes anything, if it refuses all of this.</param>
    /// <exception cref="FederationException">The server did not take it, and not because of what is in it.</exception>
    public async Task Send(
        Destination destination, FederationTransaction transaction, Func<CancellationToken, Task<FederationTransaction>>? behind, CancellationToken ct)
    {
        using var place = await (destination.Failing is null ? places : retryPlaces).Enter(ct);
        Interlocked.Increment(ref underway);
        try
        {
            var verdict = new Verdict();
            await SendOrTakeApart(destination.Server, transaction, verdict, ct);
            if (behind is not null && !verdict.IsProved)
                await TryOthers(destination.Server, await behind(ct), verdict, ct);
            await Settle(destination.Server, verdict, ct);
        }
        finally
        {
            Interlocked.Decrement(ref underway);
        }
    }

    public void Dispose()
    {
        places.Dispose();
        retryPlaces.Dispose();
    }

    async Task SendOrTakeApart(ServerName server, FederationTransaction transaction, Verdict verdict, CancellationToken ct)
    {
        try
        {
            await Put(server, transaction, ct);
            verdict.Taken(transaction);
        }
        catch (FederationException e) when (IsForContent(e))
        {
            if (transaction.Count == 1)
                verdict.Refused.Add((transaction, e));
            else
                foreach (var part in transaction.Halves())
                    await SendOrTakeApart(server, part, verdict, ct);
        }
    }

    // They come too early, and come again at their time: by their ids they are known.
    async Task TryOthers(ServerName server, FederationTransaction others, Verdict verdict, CancellationToken ct)
    {
        foreach (var one in others.Each())
        {
            try
            {
                await Put(server, one, ct);
                verdict.Taken(one);
            }
            catch (FederationException e) when (IsForContent(e))
            {
                continue;
            }
            if (verdict.IsProved)
                return;
        }
    }

    /// <summary>Leaves out what was refused, if the server is seen to take others of the kind; else it is away, and all of it is kept.</summary>
    async Task Settle(ServerName server, Verdict verdict, CancellationToken ct)
    {
        if (verdict.Refused.Count == 0)
            return;
        if (verdict.Refused.Find(part => !verdict.Proves(part.Part)).Why is { } unproved)
            throw unproved;
        if (!verdict.TookAny)
            await Put(server, Nothing, ct); // it takes nothing at all?
        foreach (var (part, why) in verdict.Refused)
        {
            LeftOut(server, NameOf(part), why.Message);
            SenderMetrics.LeftOut();
        }
    }

    static string NameOf(FederationTransaction one) => one switch
    {
        { Pdus: [var pdu] } => $"the event at {pdu.Position}",
        { Messages: [var message] } => $"messages to devices, at {message.Position}",
        _ => "an EDU",
    };

    async Task Put(ServerName server, FederationTransaction transaction, CancellationToken ct)
    {
        var number = Interlocked.Increment(ref transactions);
        var body = transaction.Write(origin, time.GetUtcNow().ToUnixTimeMilliseconds());
        var began = time.GetTimestamp();
        try
        {
            // what is in the answer is the other server's own business: it is read to its end, so that the connection can be used again, and not kept
            await using var answer = await client.Open(server, HttpMethod.Put, $"/_matrix/federation/v1/send/{run}{number}", body, ct,
                new FederationRequest { Timeout = options.Timeout, MaxBytes = MaxAnswerBytes, SkipBackoff = true });
            await answer.Body.CopyToAsync(Stream.Null, ct);
        }
        catch (FederationException e) when (!IsForContent(e))
        {
            await backoff.Refused(server, ct);
            throw;
        }
        SenderMetrics.Delivered(transaction, time.GetElapsedTime(began));
    }

    /// <summary>What came of one transaction.</summary>
    sealed class Verdict
    {
        bool tookEvent, tookMessage, tookEdu;

        public List<(FederationTransaction Part, FederationException Why)> Refused { get; } = [];

        /// <summary>Is it seen of all that was refused that the server takes others of its kind?</summary>
        public bool IsProved => Refused.TrueForAll(part => Proves(part.Part));

        public bool TookAny => tookEvent || tookMessage || tookEdu;

        /// <summary>Is it seen that the server takes others of this kind? EDUs need no proof: they are told again, or are good for the moment.</summary>
        public bool Proves(FederationTransaction refused) => refused switch
        {
            { Pdus.Count: > 0 } => tookEvent,
            { Messages.Count: > 0 } => tookEvent || tookMessage,
            _ => true,
        };

        public void Taken(FederationTransaction part)
        {
            tookEvent |= part.Pdus.Count > 0;
            tookMessage |= part.Messages.Count > 0;
            tookEdu |= part.Edus.Count > 0;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Destination} refuses {What}, which is left out: {Reason}")]
    partial void LeftOut(ServerName destination, string what, string reason);
}
