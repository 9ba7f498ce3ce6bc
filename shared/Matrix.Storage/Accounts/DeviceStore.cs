using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>A device, with when (UTC) and from where it was last seen.</summary>
public sealed record Device(DeviceId DeviceId, string? DisplayName, DateTimeOffset? LastSeenAt, string? LastSeenIp);

/// <summary>The devices of local users. Deleting one ends its sessions: tokens are gone with it.</summary>
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

    public Task<int> Delete(UserId userId, DeviceId deviceId, CancellationToken ct) =>
        db.Execute("DELETE FROM devices WHERE user_id = @userId AND device_id = @deviceId", new { userId, deviceId }, ct);

    public Task<int> Delete(DatabaseTransaction tx, UserId userId, IReadOnlyList<string> deviceIds, CancellationToken ct) => tx.Execute(
        "DELETE FROM devices WHERE user_id = @userId AND device_id = ANY(@deviceIds)", new { userId, deviceIds = deviceIds.ToArray() }, ct);

    public Task<int> DeleteAll(UserId userId, CancellationToken ct) =>
        db.Execute("DELETE FROM devices WHERE user_id = @userId", new { userId }, ct);

    /// <summary>Deletes all but one: what a change of password does to the others.</summary>
    public Task<int> DeleteOthers(DatabaseTransaction tx, UserId userId, DeviceId? keep, CancellationToken ct) => tx.Execute(
        "DELETE FROM devices WHERE user_id = @userId AND device_id IS DISTINCT FROM @keep::text", new { userId, keep }, ct);
}
