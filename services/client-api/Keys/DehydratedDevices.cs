using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Keys;
using Npgsql;

namespace Matrix.ClientApi.Keys;

/// <summary>
/// The device that a user leaves here to receive keys while none of their own is there (MSC3814). Others see it among the user's devices; only its keys
/// are ever used, for it has no session.
/// </summary>
sealed class DehydratedDevices(DehydratedDeviceStore store, LogWriter log, LogFollower follower)
{
    const int LargestData = 64 << 10, LongestName = 100;

    /// <exception cref="MatrixException">400, 413.</exception>
    public async Task Put(Requester requester, NewDehydratedDevice device, CancellationToken ct)
    {
        var (userId, deviceId) = (requester.UserId.ToString(), device.DeviceId.ToString());
        if (device.DeviceData.ValueKind != JsonValueKind.Object || !device.DeviceData.TryGetProperty("algorithm", out var algorithm)
            || algorithm.ValueKind != JsonValueKind.String)
            throw MatrixException.BadJson("device_data must be an object with an algorithm.");
        var data = device.DeviceData.GetRawText();
        if (data.Length > LargestData) throw MatrixException.TooLarge("device_data is too large.");
        if (device.InitialDeviceDisplayName?.Length > LongestName) throw MatrixException.InvalidParam("The name is too long.");
        var identity = KeyUpload.ReadIdentity(device.DeviceKeys, userId, deviceId);
        var change = new DeviceDehydrated(userId, deviceId, device.InitialDeviceDisplayName, data,
            new KeysUploaded(userId, deviceId, identity, KeyUpload.ReadKeys(device.OneTimeKeys, "one_time_keys"), KeyUpload.ReadKeys(device.FallbackKeys, "fallback_keys")));
        try
        {
            await follower.WaitFor(await log.Append(change, ct), ct);
        }
        catch (ChangeRefusedException)
        {
            throw MatrixException.InvalidParam("You have a device of this id, which is not dehydrated.");
        }
    }

    /// <exception cref="MatrixException">404: there is none.</exception>
    public async Task<DehydratedDevice> Get(Requester requester, CancellationToken ct) =>
        await store.Find(requester.UserId, ct) ?? throw MatrixException.NotFound("There is no dehydrated device.");

    public async Task Delete(Requester requester, CancellationToken ct) =>
        await follower.WaitFor(await log.Append(new DeviceRehydrated(requester.UserId.ToString()), ct), ct);
}

/// <summary>What a client uploads.</summary>
sealed record NewDehydratedDevice(
    DeviceId DeviceId, JsonElement DeviceData, JsonElement DeviceKeys, JsonElement? OneTimeKeys, JsonElement? FallbackKeys, string? InitialDeviceDisplayName);

/// <summary>A user left a device here, in place of the one that was here.</summary>
sealed class DeviceDehydrated(string userId, string deviceId, string? displayName, string data, KeysUploaded keys) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = keys.Entries;

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        // what the old one had goes first: the new one may have the same id
        DehydratedDeviceStore.AddDelete(batch, userId);
        DeviceKeyStore.AddRemoval(batch, userId, back(0));
        DehydratedDeviceStore.AddInsert(batch, userId, deviceId, displayName, data);
        keys.AddCommands(batch, back);
    }
}

/// <summary>The device that a user left here is gone.</summary>
sealed class DeviceRehydrated(string userId) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.DeviceList, UserId: userId)];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        DehydratedDeviceStore.AddDelete(batch, userId);
        DeviceKeyStore.AddRemoval(batch, userId, back(0));
    }
}
