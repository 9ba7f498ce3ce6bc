using Matrix.ClientApi.Sync.Devices;
using Matrix.Replication;
using Matrix.Rooms.Devices;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// Messages to the device. That there are none is remembered, so that from then on the log alone tells whether Postgres has to be asked, also for a client
/// that never says how far it has them.
/// </summary>
sealed class ToDeviceExtension(ToDeviceReader reader, LogFollower follower, Caches caches)
{
    /// <summary>There are no messages in (After, UpTo].</summary>
    sealed record Silence(LogPosition After, LogPosition UpTo);

    readonly BoundedCache<(string User, string Device), Silence> silences = caches.Create<(string User, string Device), Silence>(
        "to_device_silences", 8 << 20, (key, _) => 60 + Caches.WeightOf(key.User) + Caches.WeightOf(key.Device));

    public async Task Fill(ExtensionContext context, int limit, CancellationToken ct)
    {
        var (request, result) = (context.Request, context.Result);
        var key = (request.UserId, request.DeviceId);
        var after = request.ToDeviceSince ?? LogPosition.Start;
        var known = silences.TryGet(key, out var silence) && silence.After <= after && silence.UpTo > after ? silence.UpTo : after;
        var batch = result.Extensions.ToDevice = IsSilent(request, known, result.Position)
            ? new ToDeviceBatch([], after > result.Position ? after : result.Position, false)
            : await reader.Read(request.UserId, request.DeviceId, after, result.Position, limit, ct);
        if (batch.Messages.Count == 0 && batch.UpTo > known)
            silences.Set(key, new Silence(after, batch.UpTo));
    }

    bool IsSilent(SlidingRequest request, LogPosition since, LogPosition upTo)
    {
        if (since >= upTo)
            return true;
        if (!follower.Recent.TryRead(since, upTo, out var entries))
            return false;
        foreach (var entry in entries)
        {
            if (entry.Kind == LogKind.ToDevice && ToDeviceRecipients.Concerns(entry, request.UserId, request.DeviceId))
                return false;
        }
        return true;
    }
}
