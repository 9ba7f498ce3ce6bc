using Matrix.Hosting;
using Matrix.Replication;

namespace Matrix.ClientApi.Endpoints.Peeking;

/// <summary>Notes the first event in a room from now on, for somebody who is not in it and whom sync does not know therefore.</summary>
sealed class RoomNews : IDisposable
{
    readonly TaskCompletionSource happened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly IDisposable subscription;
    readonly LogFollower follower;
    LogPosition at;

    public RoomNews(LogFollower follower, long roomNid)
    {
        this.follower = follower;
        subscription = follower.Subscribe(entries =>
        {
            foreach (var entry in entries)
            {
                if (entry.Kind != LogKind.Event || entry.RoomNid != roomNid || happened.Task.IsCompleted) continue;
                at = entry.Position;
                happened.TrySetResult();
            }
        });
    }

    /// <summary>False when the request has to be answered as it is: time is up, or the process stops.</summary>
    public async Task<bool> Wait(TimeSpan timeout, Shutdown shutdown, TimeProvider time, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, shutdown.Draining);
        try
        {
            await happened.Task.WaitAsync(timeout, time, either.Token);
            await follower.WaitFor(at, either.Token);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => subscription.Dispose();
}
