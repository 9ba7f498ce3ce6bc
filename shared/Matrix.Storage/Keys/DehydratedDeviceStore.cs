using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Keys;

/// <param name="Data">The device itself, encrypted by its user: a JSON object.</param>
public sealed record DehydratedDevice(string DeviceId, string Data);

/// <summary>The dehydrated devices, at most one of each user. They are written through the log.</summary>
public sealed class DehydratedDeviceStore(NpgsqlDataSource db)
{
    /// <summary>By the index devices_dehydrated.</summary>
    public Task<DehydratedDevice?> Find(UserId userId, CancellationToken ct) => db.FindOne<DehydratedDevice>(
        "SELECT device_id, dehydrated_data AS data FROM devices WHERE user_id = @userId AND dehydrated_data IS NOT NULL", new { userId }, ct);

    /// <summary>After <see cref="AddDelete"/>. Fails when the user has it as an ordinary device.</summary>
    public static void AddInsert(NpgsqlBatch batch, string userId, string deviceId, string? displayName, string data)
    {
        batch.Add(
            "SELECT refuse_unless(NOT EXISTS (SELECT 1 FROM devices WHERE user_id = $1 AND device_id = $2), 'device')", userId, deviceId);
        batch.Add("INSERT INTO devices (user_id, device_id, display_name, dehydrated_data) VALUES ($1, $2, $3, $4)", userId, deviceId, displayName, data);
    }

    /// <summary>To be followed by <see cref="DeviceKeyStore.AddRemoval"/>.</summary>
    public static void AddDelete(NpgsqlBatch batch, string userId) =>
        batch.Add("DELETE FROM devices WHERE user_id = $1 AND dehydrated_data IS NOT NULL", userId);
}
