using Matrix.Replication;

namespace Matrix.FederationSender;

/// <summary>
/// The queues to other servers belong to one replica at a time; another takes over within seconds of its death. Nothing is delivered yet: no
/// destination has a cursor, and none is moved, so that the first release that delivers finds everything still to do.
/// </summary>
sealed partial class OutgoingQueues(Leases leases, LogFollower follower, ILogger<OutgoingQueues> logger) : BackgroundService
{
    static readonly TimeSpan TakeoverAfter = TimeSpan.FromSeconds(6);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        leases.Hold("federation-sender", TakeoverAfter, Follow, stoppingToken);

    async Task Follow(Lease lease, CancellationToken ct)
    {
        await follower.Started.WaitAsync(ct);
        Following(follower.Position, lease.Fence);
        await Task.Delay(Timeout.Infinite, ct);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Holding the outgoing queues from log position {Position}, fence {Fence}")]
    partial void Following(LogPosition position, long fence);
}
