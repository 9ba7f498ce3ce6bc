using Matrix.ClientApi.Sync.Devices;
using Matrix.Hosting;

namespace Matrix.ClientApi.Sync;

/// <summary>Answers sync requests: at once when there is news, else when the log brings some, or when time is up.</summary>
sealed class SyncEngine(SyncHub hub, CatchUp catchUp, SyncBuilder builder, ToDeviceReader toDevice, FirstSyncs firstSyncs, Shutdown shutdown,
    TimeProvider time)
{
    public async Task<SyncResult> Sync(SyncRequest request, CancellationToken ct)
    {
        // a token from before the database was restored means nothing: the client begins afresh
        if (request.Since is { } since && !await catchUp.To(since, ct))
            request = request with { Since = null };
        using var turn = request.Since is null || request.FullState ? await firstSyncs.Begin(request.UserId, ct) : null;
        if (request.Since is null)
            await catchUp.ToNow(ct);
        request = request with { ToDeviceSince = request.Since is null ? null : request.ToDeviceSince ?? request.Since };
        if (request.ToDeviceSince is { } has)
            await toDevice.Acknowledge(request.UserId, request.DeviceId, has, ct);
        var user = await hub.Acquire(request.UserId, ct);
        try
        {
            var began = time.GetTimestamp();
            while (true)
            {
                var rooms = await hub.GetRooms(user, ct);
                var result = await builder.Build(request, rooms, ct);
                if (request.Since is null || request.FullState || !result.IsEmpty)
                    return result;
                request = request with { Since = result.NextBatch, TypingSince = result.Typing, ToDeviceSince = result.ToDevice.UpTo, PresenceSince = result.PresenceMark };
                if (!await Wait(user, request.DeviceId, result, request.Timeout - time.GetElapsedTime(began), ct))
                    return result;
            }
        }
        finally
        {
            hub.Release(user);
        }
    }

    /// <summary>False when the request has to be answered as it is: time is up, or the process stops.</summary>
    async Task<bool> Wait(SyncUser user, string deviceId, SyncResult seen, TimeSpan remaining, CancellationToken ct)
    {
        if (remaining <= TimeSpan.Zero || shutdown.IsDraining)
            return false;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, shutdown.Draining);
        try
        {
            return await hub.WaitBeyond(user, deviceId, seen.NextBatch, seen.Typing.Number, seen.PresenceMark.Number, remaining, either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
