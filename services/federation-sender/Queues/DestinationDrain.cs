using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Federation;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Matrix.FederationSender.Queues;

/// <summary>
/// Sends to each destination what waits for it: one transaction at a time, so that what it gets is in order; none waits for another, as far as
/// <see cref="SenderOptions.Concurrency"/> goes, and those that failed last time share fewer places. One that fails is left alone for a while.
/// </summary>
sealed partial class DestinationDrain(
    TransactionSender sender, DestinationBackoff backoff, LagReader lag, OutgoingMessageStore messages, IOptions<SenderOptions> sending, TimeProvider time,
    ILogger<DestinationDrain> logger)
{
    static readonly TimeSpan DatabasePause = TimeSpan.FromSeconds(2), LongestRefused = TimeSpan.FromMinutes(5), LongestAskedFor = TimeSpan.FromMinutes(10);

    // One that asks us many things and takes nothing is not sent as many things.
    static readonly TimeSpan WokenInVain = TimeSpan.FromSeconds(10);

    readonly SenderOptions options = sending.Value;
    volatile bool isFinishing;
    long routed;

    /// <summary>A server failed, and takes what it is sent again.</summary>
    public event Action<ServerName>? CameBack;

    /// <summary><see cref="Deliveries.Routed"/>: one that lags is read for up to here.</summary>
    public long Routed
    {
        get => Volatile.Read(ref routed);
        set => Volatile.Write(ref routed, value);
    }

    /// <summary>Goes on with one that another replica, or this one before its start, left off with.</summary>
    public void Begin(Destination destination)
    {
        if (destination.Failing is { } failing && failing.RetryAt > time.GetUtcNow())
            RetryLater(destination, failing.RetryAt - time.GetUtcNow());
        else if (destination.Resume())
            Run(destination);
    }

    /// <summary>The other server was heard from: it is tried at once, unless it asked to be left alone, or was tried so a moment ago.</summary>
    public void HeardFrom(Destination destination)
    {
        if (destination.Failing is not { } failing || destination.Holder.Lost.IsCancellationRequested)
            return;
        var wait = failing.NotBefore - time.GetUtcNow();
        if (wait > TimeSpan.Zero)
            RetryLater(destination, wait);
        else if (destination.Resume(isHeard: true))
            Run(destination);
    }

    /// <summary>Begins nothing more, and waits for a while for what is under way.</summary>
    public async Task Finish(TimeSpan patience)
    {
        isFinishing = true;
        var began = time.GetTimestamp();
        while (sender.Underway > 0 && time.GetElapsedTime(began) < patience)
            await Task.Delay(TimeSpan.FromMilliseconds(20), time);
    }

    /// <summary>By who was told that it is to be run: nobody else runs it meanwhile.</summary>
    public void Run(Destination destination) => _ = Task.Run(() => Drain(destination), CancellationToken.None);

    async Task Drain(Destination destination)
    {
        try
        {
            while (!isFinishing && await Step(destination, destination.Holder.Lost))
            {
            }
        }
        catch (OperationCanceledException) when (destination.Holder.Lost.IsCancellationRequested)
        {
            // another replica goes on
        }
        catch (FederationException e)
        {
            // what it refuses may be one event alone: others, which show that, are not to wait for long
            Failed(destination, $"{e.Failure}: {e.Message}", TransactionSender.IsForContent(e) ? LongestRefused : options.LongestPause, e.RetryAfter);
        }
        catch (NpgsqlException e)
        {
            NotRead(destination.Server, e.Message);
            destination.Interrupted();
            RetryLater(destination, DatabasePause);
        }
        catch (Exception e)
        {
            Broken(destination.Server, e);
            Failed(destination, e.Message, options.LongestPause);
        }
    }

    /// <returns>Is there more?</returns>
    async Task<bool> Step(Destination destination, CancellationToken ct)
    {
        IReadOnlyList<OutgoingMessage> waiting = [];
        var mostMessages = options.EdusPerTransaction / 2;
        if (destination.TakeMessagesHint())
            waiting = await messages.List(destination.Server.ToString(), mostMessages, ct);
        try
        {
            if (waiting.Count == mostMessages)
                destination.HasMoreMessages();
            if (destination.LagsFrom is { } after)
            {
                await CatchUp(destination, after, waiting, ct);
                return true;
            }
            if (!destination.TryTake(waiting, options.PdusPerTransaction, options.EdusPerTransaction, out var next))
                return false;
            if (next is not null)
                await Send(destination, next, null, ct);
            else if (waiting.Count > 0)
                destination.HasMoreMessages();
            return true;
        }
        catch
        {
            if (waiting.Count > 0)
                destination.HasMoreMessages();
            throw;
        }
    }

    async Task CatchUp(Destination destination, long after, IReadOnlyList<OutgoingMessage> waiting, CancellationToken ct)
    {
        var upTo = Routed;
        var reached = after;
        var transactions = await lag.Read(destination, after, upTo, waiting, ct);
        var last = transactions[^1];
        foreach (var transaction in transactions)
        {
            await Send(destination, transaction, token => lag.ReadBehind(destination, last.UpTo, upTo, last.Messages, token), ct);
            reached = transaction.UpTo;
        }
        if (reached >= upTo)
            destination.CaughtUp(upTo);
    }

    async Task Send(
        Destination destination, FederationTransaction transaction, Func<CancellationToken, Task<FederationTransaction>>? behind, CancellationToken ct)
    {
        if (!transaction.IsEmpty)
        {
            await sender.Send(destination, transaction, behind, ct);
            if (transaction.Messages is [.., var last])
                await messages.Delete(destination.Server.ToString(), last.Position, last.Number, ct);
        }
        var failing = transaction.IsEmpty ? null : destination.Failing;
        if (failing is not null)
        {
            Recovered(destination.Server, failing.Since);
            await backoff.Succeeded(destination.Server, ct);
        }
        destination.Delivered(transaction, time.GetTimestamp());
        if (failing is not null)
            CameBack?.Invoke(destination.Server);
    }

    /// <param name="askedFor">How long the other server wants to be left alone, if it said so.</param>
    void Failed(Destination destination, string reason, TimeSpan longest, TimeSpan? askedFor = null)
    {
        var now = time.GetUtcNow();
        var pause = destination.Failing is { } before && before.Pause > TimeSpan.Zero ? before.Pause * 2 : options.FirstPause;
        pause = pause > longest ? longest : pause;
        var wait = pause * (0.9 + 0.2 * Random.Shared.NextDouble()); // so that those that went away together are not tried together
        var silence = askedFor > LongestAskedFor ? LongestAskedFor : askedFor ?? TimeSpan.Zero;
        wait = wait > silence ? wait : silence;
        var deaf = destination.IsHeard && silence < WokenInVain ? WokenInVain : silence;
        if (destination.Failing is null)
            NotDelivered(destination.Server, reason);
        destination.Failed(new Failing(destination.Failing?.Since ?? now, now + wait, pause, reason.Length > 200 ? reason[..200] : reason) { NotBefore = now + deaf });
        SenderMetrics.Failed();
        RetryLater(destination, wait);
    }

    void RetryLater(Destination destination, TimeSpan wait)
    {
        if (destination.Holder.Lost.IsCancellationRequested)
            return;
        destination.RetryBy(time.CreateTimer(_ =>
        {
            if (!destination.Holder.Lost.IsCancellationRequested && destination.Resume())
                Run(destination);
        }, null, wait, Timeout.InfiniteTimeSpan));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Nothing can be delivered to {Destination}: {Reason}")]
    partial void NotDelivered(ServerName destination, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Delivering to {Destination} again, which failed since {Since}")]
    partial void Recovered(ServerName destination, DateTimeOffset since);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What waits for {Destination} could not be read: {Reason}")]
    partial void NotRead(ServerName destination, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Delivering to {Destination} failed unexpectedly")]
    partial void Broken(ServerName destination, Exception cause);
}
