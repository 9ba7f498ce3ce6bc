using System.Buffers.Binary;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Matrix.Replication;

/// <summary>
/// Passing news to all processes of the server: who is typing. It is never stored; what gets lost while Redis is away stays lost, and is said again
/// or runs out. Without Redis it reaches this process alone, which in all-in-one is everybody.
/// </summary>
public sealed partial class EphemeralChannel(RedisConnection redis, ILogger<EphemeralChannel> logger) : BackgroundService
{
    const string Channel = "ephemeral";
    static readonly TimeSpan Again = TimeSpan.FromSeconds(5);

    readonly long _self = Random.Shared.NextInt64();
    readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Action<ReadOnlyMemory<byte>>? _subscribers;

    /// <summary>The subscriber is told what this process says too, before <see cref="Tell"/> returns.</summary>
    public void Subscribe(Action<ReadOnlyMemory<byte>> subscriber)
    {
        _subscribers += subscriber;
        _subscribed.TrySetResult();
    }

    public Task Tell(ReadOnlyMemory<byte> news)
    {
        _subscribers?.Invoke(news);
        var message = new byte[sizeof(long) + news.Length];
        BinaryPrimitives.WriteInt64LittleEndian(message, _self);
        news.CopyTo(message.AsMemory(sizeof(long)));
        return redis.Publish(Channel, message);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // a process in which nobody wants the news is not woken by them
        await _subscribed.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await redis.Subscribe(Channel, Receive);
                return;
            }
            catch (RedisException e)
            {
                NotSubscribed(e.Message);
                await Task.Delay(Again, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    void Receive(byte[] message)
    {
        if (message.Length >= sizeof(long) && BinaryPrimitives.ReadInt64LittleEndian(message) != _self)
            _subscribers?.Invoke(message.AsMemory(sizeof(long)));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ephemeral news from other processes do not arrive yet: {Reason}")]
    partial void NotSubscribed(string reason);
}
