using System.Diagnostics.CodeAnalysis;
using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Caching;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Http;

/// <summary>
/// The sessions that this process has read, each with the position that it had followed the log up to before. An entry of kind
/// <see cref="LogKind.Session"/> outdates what was read before it. Used only while this process knows that it is not behind: it has asked
/// Postgres for the log within <see cref="LongestAge"/>, and is listed among those whom the ending of a session waits for.
/// </summary>
public sealed partial class SessionCache : BackgroundService
{
    /// <summary>What was committed longer ago than this holds in every process.</summary>
    public static readonly TimeSpan LongestAge = TimeSpan.FromSeconds(5);

    static readonly TimeSpan Refresh = SessionCacheStore.Lifetime / 3, Listed = Refresh * 2, Pause = TimeSpan.FromSeconds(1);

    // Users share a slot now and then, which costs a query for a session that had not ended.
    const int Slots = 1 << 14;

    readonly long[] ended = new long[Slots];
    readonly LogFollower follower;
    readonly SessionCacheStore store;
    readonly TimeProvider time;
    readonly ILogger<SessionCache> log;
    readonly BoundedCache<TokenHash, KnownSession> sessions;
    readonly SemaphoreSlim news = new(0, 1);
    readonly IDisposable subscription;
    long applied;
    long listedAt; // timestamp before this process was last listed; 0: it is not

    public SessionCache(LogFollower follower, SessionCacheStore store, Caches caches, TimeProvider time, ILogger<SessionCache> log)
    {
        (this.follower, this.store, this.time, this.log) = (follower, store, time, log);
        sessions = caches.Create<TokenHash, KnownSession>("sessions", 16 << 20, (_, session) => 32 + session.Weight);
        subscription = follower.Subscribe(Apply);
    }

    internal Guid Process { get; } = Guid.CreateVersion7();

    /// <summary>To be read before the session is.</summary>
    internal LogPosition Position => follower.Position;

    internal bool TryGet(TokenHash token, [MaybeNullWhen(false)] out KnownSession session)
    {
        session = null;
        return IsTrusted && sessions.TryGet(token, out session) && session.ReadAt.Value >= Volatile.Read(ref ended[Slot(session.Session.UserId.ToString())]);
    }

    internal void Set(TokenHash token, KnownSession session) => sessions.Set(token, session);

    public override void Dispose()
    {
        subscription.Dispose();
        news.Dispose();
        base.Dispose();
    }

    /// <summary>From here on nobody has to wait for this process.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        Volatile.Write(ref listedAt, 0);
        try
        {
            await store.Delete(Process, cancellationToken);
        }
        catch (NpgsqlException e)
        {
            NotListed(e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await follower.Started.WaitAsync(stoppingToken);
            var position = follower.Position;
            await follower.WaitFor(position, stoppingToken);
            Raise(position.Value);
            while (true)
                await news.WaitAsync(await Confirm(stoppingToken) ? Refresh : Pause, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // StopAsync takes it off the list
        }
    }

    bool IsTrusted => Volatile.Read(ref listedAt) is not 0 and var at && time.GetElapsedTime(at) < Listed && follower.Age < LongestAge;

    async Task<bool> Confirm(CancellationToken ct)
    {
        var began = time.GetTimestamp();
        try
        {
            await store.Confirm(Process, Volatile.Read(ref applied), ct);
            Volatile.Write(ref listedAt, began);
            return true;
        }
        catch (NpgsqlException e)
        {
            NotListed(e.Message);
            return false;
        }
    }

    void Apply(IReadOnlyList<LogEntry> entries)
    {
        var any = false;
        foreach (var entry in entries)
        {
            if (entry is not { Kind: LogKind.Session, UserId: { } user })
                continue;
            Volatile.Write(ref ended[Slot(user)], entry.Position.Value);
            any = true;
        }
        Raise(entries[^1].Position.Value);
        if (any && news.CurrentCount == 0)
            news.Release();
    }

    // The follower alone raises it, but for the first time.
    void Raise(long position)
    {
        for (var known = Volatile.Read(ref applied); known < position; known = Volatile.Read(ref applied))
            Interlocked.CompareExchange(ref applied, position, known);
    }

    static int Slot(string user) => (int)((uint)string.GetHashCode(user, StringComparison.Ordinal) % Slots);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The list of processes that keep sessions could not be changed: {Reason}")]
    partial void NotListed(string reason);
}
