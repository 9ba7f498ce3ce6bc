using System.Collections.Immutable;
using System.Threading.Channels;
using Matrix.Storage;
using Matrix.Storage.Caching;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Replication;

/// <summary>
/// Follows the log: applies every entry exactly once, in order of position. Messages may be lost, late, repeated or out of order; what they
/// leave out is read from Postgres. One loop does everything, so subscribers are never called at the same time.
/// </summary>
public sealed partial class LogFollower : BackgroundService
{
    const int LeastRecent = 1024;

    readonly LogReader _reader;
    readonly LogFollowerOptions _options;
    readonly BusState _bus;
    readonly SharedPosition _shared;
    readonly DatabaseOutage _outage;
    readonly TimeProvider _time;
    readonly ILogger<LogFollower> _logger;
    readonly LookTimes _looks;
    readonly PositionWaiters _waiters = new();
    readonly PendingMessages _pending = new();
    readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Only a wake-up and the newest messages: one that does not fit is a gap like any other. null: look at the clock.
    readonly Channel<LogAdvanced?> _inbox = Channel.CreateBounded<LogAdvanced?>(
        new BoundedChannelOptions(1024) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    ImmutableArray<Action<IReadOnlyList<LogEntry>>> _subscribers = [];
    long _position;
    long _wanted; // somebody has heard of this position
    long _heard;  // the newest position that a message told of

    public LogFollower(NpgsqlDataSource db, LogFollowerOptions options, BusState bus, SharedPosition shared, DatabaseOutage outage, Caches caches,
        TimeProvider time, ILogger<LogFollower> logger)
    {
        _outage = outage;
        _reader = new LogReader(db);
        _options = options;
        _bus = bus;
        _shared = shared;
        _time = time;
        _looks = new LookTimes(options, time);
        _logger = logger;
        Recent = new RecentLog((int)Math.Max(LeastRecent, options.RecentCapacity * caches.FactorOf("recent_log")));
    }

    /// <summary>All entries up to here have been handed to the subscribers or are being handed to them.</summary>
    public LogPosition Position => new(Volatile.Read(ref _position));

    /// <summary>
    /// The newest position that this process has heard of, its own commits among them: who waits for it (<see cref="WaitFor"/>) reads what was
    /// written here before.
    /// </summary>
    public LogPosition Heard => new(Math.Max(Volatile.Read(ref _heard), Volatile.Read(ref _position)));

    /// <summary>The newest entries.</summary>
    public RecentLog Recent { get; }

    /// <summary>
    /// Everything that was committed longer ago than this has been handed to the subscribers, whatever became of messages: Postgres was asked.
    /// Stays below a few seconds while it answers.
    /// </summary>
    public TimeSpan Age => _looks.Age;

    /// <summary>Is a relaxed one told of commits all the same (<see cref="LogAttention"/>)?</summary>
    internal bool IsAttentive { get; set; }

    /// <summary>Completes when the position is known, for which Postgres has to answer once.</summary>
    public Task Started => _started.Task;

    /// <summary>
    /// Completes once every entry up to this position has been handed to all subscribers: what was acknowledged elsewhere is then seen here.
    /// If the position is ahead, Postgres is asked soon instead of waiting for the message.
    /// </summary>
    public Task WaitFor(LogPosition position, CancellationToken ct)
    {
        if (_waiters.Add(position, ct) is not { } waiting)
            return Task.CompletedTask;
        Want(position);
        return waiting;
    }

    /// <summary>
    /// From now on calls <paramref name="subscriber"/> with each entry, in order, from one thread at a time. It must be quick and must not
    /// throw. It is called before <see cref="WaitFor"/> of these entries completes.
    /// </summary>
    public IDisposable Subscribe(Action<IReadOnlyList<LogEntry>> subscriber)
    {
        ImmutableInterlocked.Update(ref _subscribers, list => list.Add(subscriber));
        return new Subscription(() => ImmutableInterlocked.Update(ref _subscribers, list => list.Remove(subscriber)));
    }

    /// <summary>Takes a message, in any order and however often. Never waits.</summary>
    public void Offer(LogAdvanced message)
    {
        Raise(ref _heard, message.To.Value);
        _inbox.Writer.TryWrite(message);
    }

    /// <summary>Somebody has heard that the log is at least here.</summary>
    public void Want(LogPosition position)
    {
        if (position > Position && Raise(ref _wanted, position.Value))
            _inbox.Writer.TryWrite(null);
    }

    /// <returns>Was it less?</returns>
    static bool Raise(ref long position, long to)
    {
        var known = Volatile.Read(ref position);
        while (known < to)
        {
            var before = Interlocked.CompareExchange(ref position, to, known);
            if (before == known)
                return true;
            known = before;
        }
        return false;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var clock = _time.CreateTimer(_ => _inbox.Writer.TryWrite(null), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            await Start(stoppingToken);
            using var metrics = ReplicationMetrics.Watch(this);
            while (true)
            {
                clock.Change(_looks.Next(IsTold), Timeout.InfiniteTimeSpan);
                await _inbox.Reader.WaitToReadAsync(stoppingToken);
                TakeMessages();
                if (_looks.Next(IsTold) == TimeSpan.Zero && !await RedisKnowsNothingNew())
                    await CatchUp(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            _waiters.CancelAll(stoppingToken);
        }
    }

    async Task Start(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var began = _time.GetTimestamp();
                var (position, recent) = await _reader.ReadNewest(Recent.Capacity, ct);
                Recent.Start(position, recent);
                Advance(position);
                _looks.Looked(began);
                _started.TrySetResult();
                return;
            }
            catch (NpgsqlException e)
            {
                _outage.Failed(e);
                await Task.Delay(TimeSpan.FromSeconds(1), _time, ct);
            }
        }
    }

    void TakeMessages()
    {
        while (_inbox.Reader.TryRead(out var message))
        {
            if (message is null)
                continue;
            if (message.IsWhole)
                _pending.Add(message, Position);
            else if (message.To > Position)
                Want(message.To);
        }
        while (_pending.TryTake(Position, out var entries))
            Apply(entries);
        if (_pending.Newest is { } newest)
            Want(newest);
        _looks.SetBehind(Volatile.Read(ref _wanted) > _position, _position);
    }

    // a relaxed one does not miss the bus
    bool IsTold => (_options.Relaxed && !IsAttentive) || _bus.IsConnected;

    // Without the bus there is a look four times a second; Redis answers it for less than Postgres, which is still asked every few seconds.
    async Task<bool> RedisKnowsNothingNew()
    {
        if (IsTold || !_looks.IsRoutine || await _shared.Find() is not { } newest || newest > Position)
            return false;
        _looks.Heard();
        return true;
    }

    async Task CatchUp(CancellationToken ct)
    {
        var wanted = Volatile.Read(ref _wanted);
        long began;
        try
        {
            IReadOnlyList<LogEntry> page;
            do
            {
                began = _time.GetTimestamp();
                page = await _reader.ReadAfter(Position, _options.PageSize, ct);
                if (page.Count > 0)
                {
                    ReplicationMetrics.FilledGap(page.Count);
                    Apply(page);
                }
            }
            while (page.Count == _options.PageSize);
        }
        catch (NpgsqlException e)
        {
            _outage.Failed(e);
            _looks.Failed();
            return;
        }
        // Whatever position was heard of before, Postgres has just said what there is. What comes later is heard of again.
        Interlocked.CompareExchange(ref _wanted, 0, wanted);
        _outage.Over();
        _looks.Looked(began);
    }

    void Apply(IReadOnlyList<LogEntry> entries)
    {
        if (entries[0].Follows.Value != _position)
            throw new LogPurgedException(_position, entries[0].Position.Value);
        Recent.Append(entries);
        Volatile.Write(ref _position, entries[^1].Position.Value);
        foreach (var subscriber in _subscribers)
        {
            try
            {
                subscriber(entries);
            }
            catch (Exception e)
            {
                SubscriberFailed(e); // one bad subscriber must not stop the log for the others
            }
        }
        Advance(entries[^1].Position);
    }

    void Advance(LogPosition position)
    {
        Volatile.Write(ref _position, position.Value);
        _looks.Heard();
        _waiters.Release(position);
    }

    sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A subscriber of the log failed")]
    partial void SubscriberFailed(Exception cause);
}
