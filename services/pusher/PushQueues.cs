using Matrix.Replication;

namespace Matrix.Pusher;

/// <summary>
/// The pushers belong to one replica at a time; another takes over within seconds of its death. Nothing is delivered yet: no pusher has a
/// cursor, and none is moved.
/// </summary>
sealed partial class PushQueues(Leases leases, LogFollower follower, ILogger<PushQueues> logger) : BackgroundService
{
    static readonly TimeSpan TakeoverAfter = TimeSpan.FromSeconds(6);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => leases.Hold("pusher", TakeoverAfter, Follow, stoppingToken);

    async Task Follow(Lease lease, CancellationToken ct)
    {
        await follower.Started.WaitAsync(ct);
        Following(follower.Position, lease.Fence);
        await Task.Delay(Timeout.Infinite, ct);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Holding the pushers from log position {Position}, fence {Fence}")]
    partial void Following(LogPosition position, long fence);
}
