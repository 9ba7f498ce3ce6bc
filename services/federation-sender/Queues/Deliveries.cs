using System.Collections.Concurrent;
using Matrix.Federation;
using Matrix.FederationSender.Sharding;
using Matrix.Protocol;
using Matrix.Storage.Federation;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Matrix.FederationSender.Queues;

/// <summary>
/// The destinations of the shards that this replica holds. Each has at most one transaction under way, so that what it gets is in order; none waits for
/// another, as far as <see cref="SenderOptions.Concurrency"/> goes, and those that failed last time share fewer places.
/// </summary>
sealed partial class Deliveries
{
    static readonly TimeSpan DatabasePause = TimeSpan.FromSeconds(2), LongestRefused = TimeSpan.FromMinutes(5);

    readonly ConcurrentDictionary<ServerName, Destination> destinations = new();
    readonly Lock membership = new(); // of what is in destinations and shards: nothing is handed to a destination that is just being forgotten
    readonly HeldShard?[] shards = new HeldShard?[Shard.Count];
    readonly TransactionSender sender;
    readonly DestinationBackoff backoff;
    readonly LagReader lag;
    readonly OutgoingMessageStore messages;
    readonly SenderOptions options;
    readonly TimeProvider time;
    readonly ILogger<Deliveries> logger;
    volatile bool isFinishing;
    long routed;

    public Deliveries(TransactionSender sender, DestinationBackoff backoff, LagReader lag, OutgoingMessageStore messages, IOptions<SenderOptions> options,
        TimeProvider time, ILogger<Deliveries> logger)
    {
        (this.sender, this.backoff, this.lag, this.messages) = (sender, backoff, lag, messages);
        (this.options, this.time, this.logger) = (options.Value, time, logger);
    }

    /// <summary>A server failed, and takes what it is sent again.</summary>
    public event Action<ServerName>? CameBack;

    /// <summary>Every entry of the log up to here has been handed to the destinations that it concerns.</summary>
    public long Routed
    {
        get => Volatile.Read(ref routed);
        set => Volatile.Write(ref routed, value);
    }

    public IEnumerable<Destination> All => destinations.Values;

    public IEnumerable<HeldShard> Held => shards.OfType<HeldShard>();

    public bool Holds(HeldShard shard) => shards[shard.Number] == shard;

    public bool Holds(ServerName server) => shards[Shard.Of(server)] is not null;

    public Destination? Find(ServerName server) => destinations.GetValueOrDefault(server);

    /// <summary>Adds a shard with those of its destinations that lag or fail; between two entries of the log.</summary>
    public void Take(HeldShard shard, IEnumerable<Destination> known)
    {
        Destination[] restored = [.. known];
        lock (membership)
        {
            foreach (var destination in restored)
                destinations[destination.Server] = destination;
            shards[shard.Number] = shard; // from now on its position may be moved past what they have not got
        }
        foreach (var destination in restored)
        {
            if (destination.Failing is { } failing && failing.RetryAt > time.GetUtcNow())
                RetryLater(destination, failing.RetryAt - time.GetUtcNow());
            else if (destination.Resume())
                Run(destination);
        }
    }

    /// <summary>Forgets a shard. What is under way there ends.</summary>
    public void Drop(HeldShard shard)
    {
        lock (membership)
        {
            if (shards[shard.Number] != shard)
                return;
            shards[shard.Number] = null;
            foreach (var destination in destinations.Values.Where(destination => destination.Holder == shard))
            {
                destination.Retry?.Dispose();
                destinations.TryRemove(destination.Server, out _);
            }
        }
    }

    public void Add(ServerName server, OutgoingPdu pdu) => With(server, destination => destination.Add(pdu, options.MostQueued, time.GetTimestamp()));

    public void Add(ServerName server, OutgoingEdu edu) => With(server, destination => destination.Add(edu, time.GetTimestamp()));

    public void AddMessages(ServerName server) => With(server, destination => destination.AddMessages());

    /// <summary>The other server is there: what waits for it need not wait longer.</summary>
    /// <returns>Did anything wait?</returns>
    public bool HeardFrom(ServerName server)
    {
        if (Find(server) is not { Failing: not null } destination || !Holds(destination.Holder) || !destination.Resume())
            return false;
        Run(destination);
        return true;
    }

    /// <summary>Forgets destinations for which nothing waits.</summary>
    public void Sweep()
    {
        lock (membership)
        {
            foreach (var destination in destinations.Values.Where(destination => destination.IsIdle))
                destinations.TryRemove(destination.Server, out _);
        }
    }

    /// <summary>Begins nothing more, and waits for a while for what is under way.</summary>
    public async Task Finish(TimeSpan patience)
    {
        isFinishing = true;
        var began = time.GetTimestamp();
        while (sender.Underway > 0 && time.GetElapsedTime(began) < patience)
            await Task.Delay(TimeSpan.FromMilliseconds(20), time);
    }

    void With(ServerName server, Func<Destination, bool> add)
    {
        lock (membership)
        {
            if (shards[Shard.Of(server)] is not { } shard)
                return;
            var destination = destinations.GetOrAdd(server, static (name, arg) => new Destination(name, arg.Holder, arg.Routed), (Holder: shard, Routed));
            if (add(destination))
                Run(destination);
        }
    }

    void Run(Destination destination) => _ = Task.Run(() => Drain(destination), CancellationToken.None);

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
            Failed(destination, $"{e.Failure}: {e.Message}", TransactionSender.IsForContent(e) ? LongestRefused : options.LongestPause);
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

    void Failed(Destination destination, string reason, TimeSpan longest)
    {
        var now = time.GetUtcNow();
        var pause = destination.Failing is { } before && before.Pause > TimeSpan.Zero ? before.Pause * 2 : options.FirstPause;
        pause = pause > longest ? longest : pause;
        var wait = pause * (0.9 + 0.2 * Random.Shared.NextDouble()); // so that those that went away together are not tried together
        if (destination.Failing is null)
            NotDelivered(destination.Server, reason);
        destination.Failed(new Failing(destination.Failing?.Since ?? now, now + wait, pause, reason.Length > 200 ? reason[..200] : reason));
        SenderMetrics.Failed();
        RetryLater(destination, wait);
    }

    void RetryLater(Destination destination, TimeSpan wait)
    {
        if (destination.Holder.Lost.IsCancellationRequested)
            return;
        destination.Retry = time.CreateTimer(_ =>
        {
            if (Holds(destination.Holder) && destination.Resume())
                Run(destination);
        }, null, wait, Timeout.InfiniteTimeSpan);
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
