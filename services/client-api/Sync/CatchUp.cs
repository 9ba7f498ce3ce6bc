using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Waits until this process has been told of all that an answer has to know.</summary>
sealed class CatchUp(SyncHub hub, LogFollower follower, LostPositions lost, SyncStore store, TimeProvider time)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Of all that is committed by now. For first answers: what somebody did before, through whichever replica, then belongs to them; a later answer
    /// brings it soon after.
    /// </summary>
    public async Task ToNow(CancellationToken ct)
    {
        if (await store.FindLogHead(ct) is { } head)
            await Wait(new LogPosition(head), ct);
    }

    /// <summary>
    /// Of all up to the position of a token, which another replica may have given. False for one that the log has never reached: it is from before the
    /// database was restored.
    /// </summary>
    public async ValueTask<bool> To(LogPosition position, CancellationToken ct)
    {
        if (lost.Contain(position))
            return false;
        if (position <= hub.Position)
            return true;
        if (await store.FindLogHead(ct) is not { } head || position.Value > head)
            return false;
        await Wait(position, ct);
        return true;
    }

    async Task Wait(LogPosition position, CancellationToken ct)
    {
        try
        {
            await follower.WaitFor(position, ct).WaitAsync(Patience, time, ct);
        }
        catch (TimeoutException)
        {
            // The answer has what is known here, and the client asks on from there.
        }
    }
}
