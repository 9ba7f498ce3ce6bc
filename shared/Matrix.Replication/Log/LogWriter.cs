using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Matrix.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Replication;

/// <summary>
/// Commits changes to the log: collects those that are ready and writes them together in one round trip (group commit). A change that
/// fails does so alone; the others of its batch are committed at once. See README.md for what holds.
/// </summary>
public sealed partial class LogWriter : IHostedService, IAsyncDisposable
{
    /// <summary>How often a change, or a whole batch, is tried again after a failure that may pass: a deadlock, a lost connection.</summary>
    const int MaxRetries = 3;

    readonly LogBatches _batches;
    readonly LogFollower _follower;
    readonly LogAnnouncer _announcer;
    readonly LogWriterOptions _options;
    readonly DatabaseOutage _outage;
    readonly ILogger<LogWriter> _logger;
    readonly Channel<PendingChange> _queue;
    readonly BatchQueue _waits;
    readonly CancellationTokenSource _abandoned = new();
    Task _loop = Task.CompletedTask;

    public LogWriter(NpgsqlDataSource db, LogFollower follower, LogAnnouncer announcer, LogWriterOptions options, DatabaseOutage outage, TimeProvider time,
        ILogger<LogWriter> logger)
    {
        _batches = new LogBatches(db, options, outage, time, logger);
        _outage = outage;
        _follower = follower;
        _announcer = announcer;
        _options = options;
        _waits = new BatchQueue(time);
        _logger = logger;
        _queue = Channel.CreateBounded<PendingChange>(
            new BoundedChannelOptions(options.QueueCapacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    }

    /// <summary>
    /// Commits the change and returns the position of its last entry. Waits while the queue is full. Cancelling takes back a change that
    /// still waits; one that is being written runs to its end, and the call ends with it.
    /// </summary>
    /// <exception cref="HeadMovedException">The room's head has moved: rebuild and append again. Nothing of the change is stored.</exception>
    /// <exception cref="PostgresException">One of the change's commands failed. Nothing of it is stored.</exception>
    /// <exception cref="LogUnavailableException">The database is away, and says whether the change may have been stored.</exception>
    public async Task<LogPosition> Append(LogChange change, CancellationToken ct) => await await Post(change, ct);

    /// <summary>
    /// Hands the change over and returns at once; the task it returns is what <see cref="Append"/> is. Changes are written in the order in which they
    /// were handed over, so that one may build on another that is still on its way.
    /// </summary>
    public async ValueTask<Task<LogPosition>> Post(LogChange change, CancellationToken ct)
    {
        var pending = new PendingChange(change);
        try
        {
            await _queue.Writer.WriteAsync(pending, ct);
        }
        catch (ChannelClosedException)
        {
            throw new LogUnavailableException("The log writer has stopped.", mayBeStored: false);
        }
        return Outcome(pending, ct);
    }

    /// <summary>How long changes wait for their batch to begin, beyond what a commit takes in any case; zero when nothing is to be written.</summary>
    public TimeSpan QueueingTime => _waits.Time(_queue.Reader.TryPeek(out var next) ? next.Waited : TimeSpan.Zero);

    static async Task<LogPosition> Outcome(PendingChange pending, CancellationToken ct)
    {
        await using var takeBack = ct.UnsafeRegister(static (state, token) => ((PendingChange)state!).TryTakeBack(token), pending);
        return await pending.Outcome;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop = Task.Run(Run, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Writes what was accepted, as far as the host's patience goes, and ends.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        await using var impatience = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _abandoned);
        await _loop;
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _abandoned.CancelAsync();
        await _loop;
        await _batches.DisposeAsync();
    }

    async Task Run()
    {
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            var changes = TakeReady();
            if (changes.Count == 0)
                continue;
            var waited = changes[0].Waited;
            ReplicationMetrics.Begun(changes.Count, waited);
            _waits.Begun(waited);
            await Write(changes);
            _waits.Ended();
        }
    }

    List<PendingChange> TakeReady()
    {
        var changes = new List<PendingChange>();
        var entries = 0;
        while (changes.Count < _options.MaxChangesPerBatch && entries < _options.MaxEntriesPerBatch && TryTake(isFirst: changes.Count == 0, out var change))
        {
            if (!change.TryBegin())
                continue;
            changes.Add(change);
            entries += change.Entries.Count;
        }
        return changes;
    }

    bool TryTake(bool isFirst, [NotNullWhen(true)] out PendingChange? change)
    {
        change = null;
        // one that skips positions waits for a batch of which it is the first
        return (isFirst || _queue.Reader.TryPeek(out var next) && next.Change.Skips == 0) && _queue.Reader.TryRead(out change);
    }

    async Task Write(List<PendingChange> changes)
    {
        var parts = new Stack<List<PendingChange>>([changes]);
        var retries = 0;
        while (parts.TryPop(out var part))
        {
            using var trace = LogTracing.Commit(part);
            try
            {
                Succeed(part, await _batches.Commit(part, _abandoned.Token));
            }
            catch (BatchException e) when (e.Culprit is { } culprit)
            {
                if (!(IsTransient(e.Cause) && ++part[culprit].Retries <= MaxRetries))
                {
                    part[culprit].Fail(e.Cause);
                    part.RemoveAt(culprit);
                }
                if (part.Count > 0)
                    parts.Push(part);
            }
            catch (BatchException e)
            {
                if (DatabaseOutage.IsOne(e.Cause))
                    _outage.Failed(e.Cause);
                else
                    BatchFailed(part.Count, e.Cause);
                if (!e.IsFinal && ++retries <= MaxRetries)
                    parts.Push(part);
                else if (!e.IsFinal && part.Count > 1)
                    Split(part, parts);
                else
                    part.ForEach(change => change.Fail(e.Cause));
            }
        }
    }

    // Nobody knows which change is at fault: halve until it is alone.
    static void Split(List<PendingChange> part, Stack<List<PendingChange>> parts)
    {
        var half = part.Count / 2;
        parts.Push(part[half..]);
        parts.Push(part[..half]);
    }

    void Succeed(List<PendingChange> part, LogPosition to)
    {
        var entries = new List<LogEntry>();
        var (first, skipped) = (to.Value - part.Sum(change => change.Entries.Count), part[0].Change.Skips);
        var (from, position) = (new LogPosition(first - skipped), first);
        foreach (var draft in part.SelectMany(change => change.Entries))
        {
            entries.Add(draft.At(new LogPosition(++position), skipped));
            skipped = 0;
        }
        Debug.Assert(position == to.Value, "The entries of a batch fill its positions.");
        var last = first;
        foreach (var change in part)
            change.Change.Committed(new LogPosition(last += change.Entries.Count));
        var message = new LogAdvanced(from, to, entries);
        // before anybody learns of the success: who reads after it can then wait until it is applied here (LogFollower.Heard)
        _follower.Offer(message);
        position = first;
        foreach (var change in part)
            change.Succeed(new LogPosition(position += change.Entries.Count));
        _announcer.Offer(message, LogTracing.Here);
        ReplicationMetrics.Committed(part.Count, entries.Count);
    }

    static bool IsTransient(Exception cause) => cause is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected }
        or PostgresException { SqlState: PostgresErrorCodes.SerializationFailure };

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of {Changes} changes was not committed")]
    partial void BatchFailed(int changes, Exception cause);
}
