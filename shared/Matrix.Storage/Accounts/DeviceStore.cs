using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>A device, with when (UTC) and from where it was last seen.</summary>
public sealed record Device(DeviceId DeviceId, string? DisplayName, DateTimeOffset? LastSeenAt, string? LastSeenIp);

/// <summary>
/// The devices of local users. Deleting one ends its sessions: tokens are gone with it, so it is a change of the log, whose commands are
/// the methods <c>Add…</c>.
/// </summary>
public sealed class DeviceStore(NpgsqlDataSource db)
{
    const string Columns = "device_id, display_name, last_seen_at, last_seen_ip";

    /// <summary>In the order of their ids, by primary key.</summary>
    public Task<IReadOnlyList<Device>> List(UserId userId, CancellationToken ct) =>
        db.List<Device>($"SELECT {Columns} FROM devices WHERE user_id = @userId ORDER BY device_id", new { userId }, ct);

    public Task<Device?> Find(UserId userId, DeviceId deviceId, CancellationToken ct) => db.FindOne<Device>(
        $"SELECT {Columns} FROM devices WHERE user_id = @userId AND device_id = @deviceId", new { userId, deviceId }, ct);

    /// <summary>Gives a device another name, unless it is null; false when there is no such device.</summary>
    public async Task<bool> Rename(UserId userId, DeviceId deviceId, string? displayName, CancellationToken ct) => await db.Execute(
        "UPDATE devices SET display_name = coalesce(@displayName::text, display_name) WHERE user_id = @userId AND device_id = @deviceId",
        new { userId, deviceId, displayName }, ct) == 1;

    /// <summary>Records that a device was seen. Callers do so only once in a while: see <c>last_seen_at</c> in <see cref="Session"/>.</summary>
    public Task<int> Touch(UserId userId, DeviceId deviceId, string? ip, CancellationToken ct) => db.Execute(
        "UPDATE devices SET last_seen_at = now(), last_seen_ip = @ip WHERE user_id = @userId AND device_id = @deviceId",
        new { userId, deviceId, ip }, ct);

    /// <summary>Deletes the devices; null: all of the user's.</summary>
    public static void AddDelete(NpgsqlBatch batch, UserId userId, IReadOnlyList<DeviceId>? deviceIds) => batch.Add(
        "DELETE FROM devices WHERE user_id = $1 AND ($2::text[] IS NULL OR device_id = ANY($2))", userId, deviceIds?.Select(id => id.ToString()).ToArray());

    /// <summary>Deletes all but one: what a change of password does to the others.</summary>
    public static void AddDeleteOthers(NpgsqlBatch batch, UserId userId, DeviceId keep) =>
        batch.Add("DELETE FROM devices WHERE user_id = $1 AND device_id <> $2", userId, keep);
}
