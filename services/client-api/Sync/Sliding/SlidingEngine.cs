using Matrix.ClientApi.Sync.Devices;
using Matrix.Hosting;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>An answer with the pos that it ends at.</summary>
sealed record SlidingAnswer(SlidingResult Result, SlidingPos Pos);

/// <summary>Answers sliding sync requests: at once when there is news, else when the log brings some, or when time is up.</summary>
sealed class SlidingEngine(
    SyncHub hub, CatchUp catchUp, SlidingBuilder builder, Connections connections, ToDeviceReader toDevice, FirstSyncs firstSyncs, Shutdown shutdown,
    TimeProvider time)
{
    public async Task<SlidingAnswer> Sync(SlidingRequest request, CancellationToken ct)
    {
        using var turn = request.Pos is null ? await firstSyncs.Begin(request.UserId, ct) : null;
        var key = new ConnectionKey(request.UserId, request.DeviceId, request.Shape.ConnId);
        var connection = request.Pos is { } pos ? await connections.Get(key, pos.Version, ct) : null;
        if (request.Since is not { } since)
            await catchUp.ToNow(ct);
        else if (!await catchUp.To(since, ct))
            throw Connections.Unknown();
        request = await Acknowledge(request, ct);
        var user = await hub.Acquire(request.UserId, ct);
        try
        {
            var began = time.GetTimestamp();
            while (true)
            {
                var result = await builder.Build(request, key, connection, user, ct);
                if (connection is null || !result.IsEmpty || !await Wait(user, request, result, request.Timeout - time.GetElapsedTime(began), ct))
                    return await Answer(key, connection, result, ct);
            }
        }
        finally
        {
            hub.Release(user);
        }
    }

    // Messages that the device has may go. A token that the log has never reached is from before the database was restored.
    async ValueTask<SlidingRequest> Acknowledge(SlidingRequest request, CancellationToken ct)
    {
        if (request.Shape.Extensions.ToDevice is null || request.ToDeviceSince is not { } has)
            return request;
        if (!await catchUp.To(has, ct))
            return request with { ToDeviceSince = null };
        await toDevice.Acknowledge(request.UserId, request.DeviceId, has, ct);
        return request;
    }

    /// <summary>What the client now has is stored before it hears of it; nothing is if only the position moved.</summary>
    async Task<SlidingAnswer> Answer(ConnectionKey key, Connection? connection, SlidingResult result, CancellationToken ct)
    {
        var next = connection is null ? await connections.Begin(key, result.State, ct)
            : ReferenceEquals(result.State, connection.State) ? connection
            : await connections.Advance(connection, result.State, ct);
        next.Settled = result.Settled;
        return new SlidingAnswer(result, new SlidingPos(result.Position, next.Version, result.Extensions.TypingMark));
    }

    /// <summary>False when the request has to be answered as it is: time is up, or the process stops.</summary>
    async Task<bool> Wait(SyncUser user, SlidingRequest request, SlidingResult seen, TimeSpan remaining, CancellationToken ct)
    {
        if (remaining <= TimeSpan.Zero || shutdown.IsDraining)
            return false;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, shutdown.Draining);
        try
        {
            var typing = request.Shape.Extensions.Typing.Enabled ? seen.Extensions.TypingMark.Number : long.MaxValue;
            return await hub.WaitBeyond(user, request.DeviceId, seen.Position, typing, long.MaxValue, remaining, either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
