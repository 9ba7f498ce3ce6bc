using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Push;

/// <summary>A pusher as a client set it.</summary>
/// <param name="Kind"><c>http</c> or <c>email</c>.</param>
/// <param name="Data">A JSON object.</param>
/// <param name="SetAt">UTC.</param>
public sealed record Pusher(
    long PusherId, string UserId, string DeviceId, string AppId, string Pushkey, string Kind, string AppDisplayName, string DeviceDisplayName,
    string? ProfileTag, string Lang, string Data, DateTimeOffset SetAt, bool Enabled, string? Secret, DateTimeOffset? ConfirmedAt)
{
    public const string Http = "http", Email = "email";
}

/// <summary>What a client sets.</summary>
/// <param name="Secret">For the links of a mail pusher.</param>
public sealed record NewPusher(
    string AppId, string Pushkey, string Kind, string AppDisplayName, string DeviceDisplayName, string? ProfileTag, string Lang, string Data,
    bool Enabled, string? Secret = null);

/// <summary>Pushers. They change through the log, with the commands <c>Add…</c>, and go with their device.</summary>
public sealed class PusherStore(NpgsqlDataSource db)
{
    internal const string Columns =
        """
        p.pusher_id, p.user_id, p.device_id, p.app_id, p.pushkey, p.kind, p.app_display_name, p.device_display_name, p.profile_tag, p.lang, p.data,
            p.set_at, p.enabled, p.secret, p.confirmed_at
        """;

    /// <summary>By the index pushers_of_device.</summary>
    public Task<IReadOnlyList<Pusher>> List(UserId userId, CancellationToken ct) => db.List<Pusher>(
        $"SELECT {Columns} FROM pushers p WHERE p.user_id = @userId ORDER BY p.pusher_id", new { userId }, ct);

    /// <summary>The other users who have a pusher for this app and key: by its unique key.</summary>
    public Task<IReadOnlyList<string>> ListOtherUsers(UserId userId, string appId, string pushkey, CancellationToken ct) => db.List<string>(
        "SELECT user_id FROM pushers WHERE app_id = @appId AND pushkey = @pushkey AND user_id <> @userId", new { userId, appId, pushkey }, ct);

    public Task<Pusher?> FindBySecret(string secret, CancellationToken ct) => db.FindOne<Pusher>(
        $"SELECT {Columns} FROM pushers p WHERE p.secret = @secret", new { secret }, ct);

    /// <summary>Sets a pusher of a device, which must still be there. What the user had with this app and key is replaced, but goes on
    /// where it was, unless it was switched off.</summary>
    /// <param name="back">Of the change's entry: what came before it is not pushed.</param>
    public static void AddSet(NpgsqlBatch batch, UserId userId, DeviceId deviceId, NewPusher pusher, int back)
    {
        batch.Add("SELECT refuse_unless(EXISTS (SELECT 1 FROM devices WHERE user_id = $1 AND device_id = $2), 'device')", userId, deviceId);
        batch.Add(
            """
            WITH silent AS (
                SELECT pusher_id FROM pushers WHERE app_id = $3 AND pushkey = $4 AND user_id = $1 AND NOT enabled
            ), set AS (
                INSERT INTO pushers (user_id, device_id, app_id, pushkey, kind, app_display_name, device_display_name, profile_tag, lang, data, enabled,
                    secret, shard)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                ON CONFLICT (app_id, pushkey, user_id) DO UPDATE SET device_id = excluded.device_id, kind = excluded.kind,
                    app_display_name = excluded.app_display_name, device_display_name = excluded.device_display_name,
                    profile_tag = excluded.profile_tag, lang = excluded.lang, data = excluded.data, enabled = excluded.enabled, set_at = now(),
                    secret = coalesce(pushers.secret, excluded.secret)
                RETURNING pusher_id
            )
            INSERT INTO push_cursors (pusher_id, cursor) SELECT pusher_id, log_position($14) FROM set
            ON CONFLICT (pusher_id) DO UPDATE SET cursor = excluded.cursor WHERE push_cursors.pusher_id IN (SELECT pusher_id FROM silent)
            """, userId, deviceId, pusher.AppId, pusher.Pushkey, pusher.Kind, pusher.AppDisplayName, pusher.DeviceDisplayName, pusher.ProfileTag,
            pusher.Lang, pusher.Data, pusher.Enabled, pusher.Secret, PushShards.Of(userId.ToString()), back);
    }

    public static void AddDelete(NpgsqlBatch batch, string userId, string appId, string pushkey) =>
        batch.Add("DELETE FROM pushers WHERE user_id = $1 AND app_id = $2 AND pushkey = $3", userId, appId, pushkey);

    public static void AddDelete(NpgsqlBatch batch, long pusherId) => batch.Add("DELETE FROM pushers WHERE pusher_id = $1", pusherId);

    /// <summary>The address of a mail pusher wants its mail.</summary>
    public static void AddConfirmation(NpgsqlBatch batch, long pusherId) =>
        batch.Add("UPDATE pushers SET confirmed_at = now(), set_at = now() WHERE pusher_id = $1 AND confirmed_at IS NULL", pusherId);
}
