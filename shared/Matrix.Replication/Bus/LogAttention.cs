using MassTransit;

namespace Matrix.Replication;

/// <summary>
/// Lets a relaxed process (<see cref="LogFollowerOptions.Relaxed"/>) be told of commits for as long as it has something to do that cannot wait. It then
/// has a second queue, which is bound to the messages; being bound is what costs.
/// </summary>
public sealed class LogAttention(IReceiveEndpointConnector connector, LogFollowerOptions options, LogFollower follower)
{
    HostReceiveEndpointHandle? _queue;

    /// <summary>From now on this process is told of commits, or no longer. To be called by one caller, as often as it likes.</summary>
    public async Task Attend(bool wanted, CancellationToken ct)
    {
        if (!options.Relaxed || wanted == _queue is not null)
            return;
        if (wanted)
        {
            _queue = connector.ConnectReceiveEndpoint($"log-{Guid.NewGuid():n}", (_, queue) => BusConfiguration.ReceiveLog(queue, follower));
            // of what was committed before it was bound nobody was told, so there may be a next entry
            _ = _queue.Ready.ContinueWith(
                _ => follower.Want(new LogPosition(follower.Position.Value + 1)), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }
        else if (_queue is { } bound)
        {
            _queue = null;
            await bound.StopAsync(ct);
        }
        follower.IsAttentive = wanted;
    }
}
