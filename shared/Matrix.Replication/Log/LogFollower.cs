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
    readonly PositionWaiters _waiters = new();
    readonly PendingMessages _pending = new();
    readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Only a wake-up and the newest messages: one that does not fit is a gap like any other. null: look at the clock.
    readonly Channel<LogAdvanced?> _inbox = Channel.CreateBounded<LogAdvanced?>(
        new BoundedChannelOptions(1024) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    ImmutableArray<Action<IReadOnlyList<LogEntry>>> _subscribers = [];
    long _position;
    long _wanted;      // somebody has heard of this position
    long _heard;       // the newest position that a message told of
    long _heardAt;     // timestamp of the last entry or check
    long _checkedAt;   // timestamp before the last check in Postgres; 0: there was none
    long _behindSince; // timestamp, while a position above ours is known
    long _behindAt;    // our position then: every step forward gives the messages under way their grace again
    long _readAgainAt; // timestamp before which a failed read is not repeated

    public LogFollower(NpgsqlDataSource db, LogFollowerOptions options, BusState bus, SharedPosition shared, DatabaseOutage outage, Caches caches,
        TimeProvider time, ILogger<LogFollower> logger)
    {
        _outage = outage;
        _reader = new LogReader(db);
        _options = options;
        _bus = bus;
        _shared = shared;
        _time = time;
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
    public TimeSpan Age => Volatile.Read(ref _checkedAt) is not 0 and var at ? _time.GetElapsedTime(at) : TimeSpan.MaxValue;

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
        var known = Volatile.Read(ref _heard);
        while (message.To.Value > known)
        {
            var before = Interlocked.CompareExchange(ref _heard, message.To.Value, known);
            if (before == known)
                break;
            known = before;
        }
        _inbox.Writer.TryWrite(message);
    }

    /// <summary>Somebody has heard that the log is at least here.</summary>
    public void Want(LogPosition position)
    {
        var known = Volatile.Read(ref _wanted);
        while (position.Value > known && position > Position)
        {
            var before = Interlocked.CompareExchange(ref _wanted, position.Value, known);
            if (before == known)
            {
                _inbox.Writer.TryWrite(null);
                return;
            }
            known = before;
        }
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
                clock.Change(NextLook(), Timeout.InfiniteTimeSpan);
                await _inbox.Reader.WaitToReadAsync(stoppingToken);
                TakeMessages();
                if (NextLook() == TimeSpan.Zero && !await RedisKnowsNothingNew())
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
                Volatile.Write(ref _checkedAt, began);
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
        if (Volatile.Read(ref _wanted) <= _position)
            _behindSince = 0;
        else if (_behindSince == 0 || _behindAt != _position)
            (_behindSince, _behindAt) = (_time.GetTimestamp(), _position);
    }

    /// <summary>How long until the database has to be asked.</summary>
    TimeSpan NextLook()
    {
        var wait = _options.SelfCheck - _time.GetElapsedTime(_checkedAt); // also when messages come: they may be old ones
        if (!IsTold)
            wait = Min(wait, _options.SelfCheckWithoutBus - _time.GetElapsedTime(_heardAt));
        if (_behindSince != 0)
            wait = Min(wait, _options.Grace - _time.GetElapsedTime(_behindSince));
        if (_readAgainAt != 0)
            wait = TimeSpan.FromSeconds(1) - _time.GetElapsedTime(_readAgainAt);
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    // a relaxed one does not miss the bus
    bool IsTold => (_options.Relaxed && !IsAttentive) || _bus.IsConnected;

    // Without the bus there is a look four times a second; Redis answers it for less than Postgres, which is still asked every few seconds.
    async Task<bool> RedisKnowsNothingNew()
    {
        if (IsTold || _behindSince != 0 || _readAgainAt != 0 || _time.GetElapsedTime(_checkedAt) >= _options.SelfCheck)
            return false;
        if (await _shared.Find() is not { } newest || newest > Position)
            return false;
        _heardAt = _time.GetTimestamp();
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
            _readAgainAt = _time.GetTimestamp();
            return;
        }
        // Whatever position was heard of before, Postgres has just said what there is. What comes later is heard of again.
        Interlocked.CompareExchange(ref _wanted, 0, wanted);
        _outage.Over();
        _readAgainAt = 0;
        _behindSince = 0;
        _heardAt = _time.GetTimestamp();
        Volatile.Write(ref _checkedAt, began);
    }

    void Apply(IReadOnlyList<LogEntry> entries)
    {
        if (entries[0].Position.Value != _position + 1)
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
        _heardAt = _time.GetTimestamp();
        _waiters.Release(position);
    }

    static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A subscriber of the log failed")]
    partial void SubscriberFailed(Exception cause);
}
