using System.Buffers;
using System.Buffers.Binary;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Matrix.Replication;

/// <summary>
/// Passing news to all processes of the server: who is typing. It is never stored; it waits for a Redis that is away for a moment, and what gets lost while
/// it is away for longer stays lost, and is said again or runs out. Without Redis it reaches this process alone, which in all-in-one is everybody. News after
/// a pause leave at once; those that follow within <see cref="Gather"/> leave together, because a message costs as much for one as for many.
/// </summary>
public sealed partial class EphemeralChannel(RedisConnection redis, TimeProvider time, ILogger<EphemeralChannel> logger) : BackgroundService
{
    const string Channel = "ephemeral";
    const int MaxMessage = 64 << 10;
    static readonly TimeSpan Again = TimeSpan.FromSeconds(1), AwayFor = TimeSpan.FromSeconds(10);
    static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    readonly long _self = Random.Shared.NextInt64();
    readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Channel<ReadOnlyMemory<byte>> _outbox = System.Threading.Channels.Channel.CreateBounded<ReadOnlyMemory<byte>>(
        new BoundedChannelOptions(16 << 10) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    Action<ReadOnlyMemory<byte>>? _subscribers;

    /// <summary>From then on this process hears what the others say: whoever asks them something asks after this.</summary>
    public Task Listening => _listening.Task;

    /// <summary>The subscriber is told what this process says too, before <see cref="Tell"/> returns.</summary>
    public void Subscribe(Action<ReadOnlyMemory<byte>> subscriber)
    {
        _subscribers += subscriber;
        _subscribed.TrySetResult();
    }

    public void Tell(ReadOnlyMemory<byte> news)
    {
        _subscribers?.Invoke(news);
        _outbox.Writer.TryWrite(news);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Publish(stoppingToken), Listen(stoppingToken));

    async Task Publish(CancellationToken stoppingToken)
    {
        var message = new ArrayBufferWriter<byte>();
        try
        {
            while (await _outbox.Reader.WaitToReadAsync(stoppingToken))
            {
                await PublishWaiting(message, stoppingToken);
                await Task.Delay(Gather, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await PublishWaiting(message, new CancellationToken(true)); // that a user has stopped typing is worth telling before the end
        }
    }

    // Who says it, then each piece of news after its length.
    async Task PublishWaiting(ArrayBufferWriter<byte> message, CancellationToken ct)
    {
        while (_outbox.Reader.TryRead(out var news))
        {
            message.ResetWrittenCount();
            BinaryPrimitives.WriteInt64LittleEndian(message.GetSpan(sizeof(long)), _self);
            message.Advance(sizeof(long));
            do
            {
                BinaryPrimitives.WriteInt32LittleEndian(message.GetSpan(sizeof(int)), news.Length);
                message.Advance(sizeof(int));
                message.Write(news.Span);
            }
            while (message.WrittenCount < MaxMessage && _outbox.Reader.TryRead(out news));
            await Insist(message.WrittenSpan.ToArray(), ct);
        }
    }

    // Presence is said once: a Redis that was late for one request, or has just come back, is no reason to lose it.
    async Task Insist(byte[] message, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        while (!await redis.TryPublish(Channel, message) && !ct.IsCancellationRequested && time.GetElapsedTime(began) < AwayFor)
            await Task.Delay(Again / 4, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    async Task Listen(CancellationToken stoppingToken)
    {
        // a process in which nobody wants the news is not woken by them
        await _subscribed.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await redis.Subscribe(Channel, Receive);
                _listening.TrySetResult();
                return;
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                NotSubscribed(e.Message);
                await Task.Delay(Again, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    void Receive(byte[] message)
    {
        if (message.Length < sizeof(long) || BinaryPrimitives.ReadInt64LittleEndian(message) == _self)
            return;
        ReadOnlyMemory<byte> rest = message.AsMemory(sizeof(long));
        while (rest.Length >= sizeof(int))
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
            rest = rest[sizeof(int)..];
            if (length < 0 || length > rest.Length)
                return;
            _subscribers?.Invoke(rest[..length]);
            rest = rest[length..];
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ephemeral news from other processes do not arrive yet: {Reason}")]
    partial void NotSubscribed(string reason);
}
