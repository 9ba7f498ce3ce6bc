using Matrix.Replication;
using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Sync.Devices;

/// <summary>Messages to a device, oldest first.</summary>
/// <param name="UpTo">The device has all of its messages up to here once it has these.</param>
/// <param name="More">There are more up to the position asked for.</param>
sealed record ToDeviceBatch(IReadOnlyList<ToDeviceMessage> Messages, LogPosition UpTo, bool More);

/// <summary>
/// Reads the messages to a device, and lets those go that it has. What a device has is what its token says: messages are picked by position, so
/// none is lost or doubled whichever replica answers. Deleting them is housekeeping, done for many devices together a moment later.
/// </summary>
sealed class ToDeviceReader(ToDeviceStore store, ToDeviceSweeper sweeper, Caches caches)
{
    /// <summary>How many messages an answer holds.</summary>
    public const int MostAtOnce = 100;

    // The newest message that was handed out here and is not deleted; 0: there is none. For unknown devices Postgres has to be asked.
    readonly BoundedCache<(string User, string Device), long> handedOut = caches.Create<(string User, string Device), long>(
        "to_device_handed_out", 8 << 20, (key, _) => 24 + Caches.WeightOf(key.User) + Caches.WeightOf(key.Device));

    /// <summary>The oldest messages in (after, upTo]. For a device that has none Postgres is asked in vain: ask when the log says so.</summary>
    public async Task<ToDeviceBatch> Read(string userId, string deviceId, LogPosition after, LogPosition upTo, int limit, CancellationToken ct)
    {
        limit = Math.Clamp(limit, 1, MostAtOnce);
        var found = await store.List(userId, deviceId, after.Value, upTo.Value, limit + 1, ct);
        var more = found.Count > limit;
        var messages = more ? [.. found.Take(limit)] : found;
        if (messages.Count > 0)
            handedOut.Set((userId, deviceId), messages[^1].Position);
        return new ToDeviceBatch(messages, more ? new LogPosition(messages[^1].Position) : upTo, more);
    }

    /// <summary>The device has all messages up to here: its token says so.</summary>
    public async ValueTask Acknowledge(string userId, string deviceId, LogPosition upTo, CancellationToken ct)
    {
        if (!handedOut.TryGet((userId, deviceId), out var newest))
        {
            // what another replica handed out, or this process before it was started anew
            await store.Delete([userId], [deviceId], [upTo.Value], ct);
            handedOut.Set((userId, deviceId), 0);
        }
        else if (newest > 0 && upTo.Value >= newest)
        {
            handedOut.Set((userId, deviceId), 0);
            if (!sweeper.Offer(userId, deviceId, upTo.Value))
                handedOut.Remove((userId, deviceId));
        }
    }
}
