using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Matrix.Replication;

/// <summary>
/// The connection to Redis, which may be away at any time: every use goes through <see cref="Use"/> and says what happens then. A process
/// without Redis has none.
/// </summary>
public sealed partial class RedisConnection : IAsyncDisposable
{
    /// <summary>Longer than any answer of a healthy Redis, shorter than anybody notices.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);

    /// <summary>After a failure nobody asks for this long, so that a Redis that hangs does not slow down every request.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    readonly ConfigurationOptions? _options;
    readonly TimeProvider _time;
    readonly ILogger<RedisConnection> _logger;
    readonly Lazy<Task<ConnectionMultiplexer>> _connection;
    long _pausedAt;

    /// <param name="options">Null for a process without Redis.</param>
    /// <param name="prefix">Of all keys, so that servers may share a Redis.</param>
    public RedisConnection(RedisOptions? options, string prefix, TimeProvider time, ILogger<RedisConnection> logger)
    {
        (Prefix, _time, _logger) = (prefix, time, logger);
        if (options is not null)
        {
            _options = new ConfigurationOptions
            {
                EndPoints = { { options.Host, options.Port } },
                Password = options.Password,
                DefaultDatabase = options.Dbid,
                AbortOnConnectFail = false,
                BacklogPolicy = BacklogPolicy.FailFast,
                ConnectTimeout = 2000,
                AsyncTimeout = (int)Patience.TotalMilliseconds,
            };
        }
        _connection = new(() => ConnectionMultiplexer.ConnectAsync(_options!));
    }

    public string Prefix { get; }

    /// <summary>What <paramref name="use"/> returns, or null when Redis is away or too slow.</summary>
    public async Task<T?> Use<T>(Func<IDatabase, Task<T>> use) where T : struct
    {
        if (_options is null || IsPaused)
            return null;
        try
        {
            var connecting = _connection.Value;
            if (!connecting.IsCompleted)
                return null;
            var connection = await connecting;
            if (!connection.IsConnected)
                return null;
            return await use(connection.GetDatabase()).WaitAsync(Patience, _time);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            Volatile.Write(ref _pausedAt, _time.GetTimestamp());
            Away(e.Message);
            return null;
        }
    }

    /// <summary>
    /// Receives what is published on a channel, in order, from now on and again whenever Redis comes back. What is published while it is away is lost.
    /// Does nothing in a process without Redis.
    /// </summary>
    public async Task Subscribe(string channel, Action<byte[]> receive)
    {
        if (_options is null)
            return;
        var subscriber = (await _connection.Value).GetSubscriber();
        // A queue keeps the order, which plain handlers do not.
        var queue = await subscriber.SubscribeAsync(RedisChannel.Literal(Prefix + channel));
        queue.OnMessage(message => receive((byte[])message.Message!));
    }

    /// <summary>
    /// Tells whoever has subscribed; nobody waits for an answer, so it goes out although Redis was slow a moment ago. False: it is away, and nothing was told.
    /// In a process without Redis nobody else is to be told.
    /// </summary>
    public async Task<bool> TryPublish(string channel, byte[] message)
    {
        if (_options is null)
            return true;
        try
        {
            var connecting = _connection.Value;
            if (!connecting.IsCompleted || await connecting is not { IsConnected: true } connection)
                return false;
            await connection.GetDatabase().PublishAsync(RedisChannel.Literal(Prefix + channel), message, CommandFlags.FireAndForget);
            return true;
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection.IsValueCreated)
            await (await _connection.Value).DisposeAsync();
    }

    bool IsPaused => Volatile.Read(ref _pausedAt) is not 0 and var at && _time.GetElapsedTime(at) < Pause;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis does not answer: {Reason}")]
    partial void Away(string reason);
}
