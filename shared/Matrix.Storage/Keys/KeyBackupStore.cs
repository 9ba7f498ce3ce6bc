using Npgsql;

namespace Matrix.Storage.Keys;

/// <summary>A backup of room keys.</summary>
/// <param name="AuthData">JSON.</param>
public sealed record KeyBackup(long Version, string Algorithm, byte[] AuthData, long Etag, long Count);

/// <summary>A room key in a backup.</summary>
/// <param name="SessionData">JSON.</param>
public sealed record BackedUpKey(string RoomId, string SessionId, long FirstMessageIndex, long ForwardedCount, bool IsVerified, byte[] SessionData);

/// <summary>What a backup is after keys came or went.</summary>
/// <param name="CurrentVersion">The version that keys are added to; null: there is none.</param>
public sealed record KeyBackupState(long? CurrentVersion, long NewEtag, long NewCount);

/// <summary>Backups of room keys. Writers of one user's backup wait for each other.</summary>
public sealed class KeyBackupStore(NpgsqlDataSource db)
{
    const string Columns = "version, algorithm, auth_data, etag, count";

    /// <summary>Null: the user has none, or not this one.</summary>
    /// <param name="version">Null: the newest.</param>
    public Task<KeyBackup?> Find(string userId, long? version, CancellationToken ct) => db.FindOne<KeyBackup>(
        $"""
        SELECT {Columns} FROM key_backups WHERE user_id = @userId AND NOT deleted AND (@version::bigint IS NULL OR version = @version)
        ORDER BY version DESC LIMIT 1
        """, new { userId, version }, ct);

    /// <summary>A new backup, to which keys are added from now on. Numbers of deleted ones are not given again.</summary>
    public Task<long> Insert(string userId, string algorithm, byte[] authData, CancellationToken ct) => db.GetOne<long>(
        """
        WITH owner AS MATERIALIZED (SELECT user_id FROM users WHERE user_id = @userId FOR UPDATE)
        INSERT INTO key_backups (user_id, version, algorithm, auth_data)
        SELECT user_id, (SELECT coalesce(max(version), 0) + 1 FROM key_backups WHERE user_id = @userId), @algorithm, @authData FROM owner
        RETURNING version
        """, new { userId, algorithm, authData }, ct);

    public Task<int> SetAuthData(string userId, long version, byte[] authData, CancellationToken ct) => db.Execute(
        "UPDATE key_backups SET auth_data = @authData WHERE user_id = @userId AND version = @version AND NOT deleted", new { userId, version, authData }, ct);

    /// <summary>False: there never was such a backup.</summary>
    public async Task<bool> Delete(string userId, long version, CancellationToken ct) => await db.FindOne<long?>(
        """
        WITH gone AS (DELETE FROM backed_up_keys WHERE user_id = @userId AND version = @version)
        UPDATE key_backups SET deleted = true, count = 0 WHERE user_id = @userId AND version = @version RETURNING version
        """, new { userId, version }, ct) is not null;

    /// <summary>Adds keys; see <c>store_backed_up_keys</c>.</summary>
    public Task<KeyBackupState> Store(string userId, long version, IReadOnlyList<BackedUpKey> keys, CancellationToken ct) => db.GetOne<KeyBackupState>(
        "SELECT * FROM store_backed_up_keys(@userId, @version, @rooms, @sessions, @indexes, @forwarded, @verified, @data)",
        new
        {
            userId,
            version,
            rooms = keys.Select(key => key.RoomId).ToArray(),
            sessions = keys.Select(key => key.SessionId).ToArray(),
            indexes = keys.Select(key => key.FirstMessageIndex).ToArray(),
            forwarded = keys.Select(key => key.ForwardedCount).ToArray(),
            verified = keys.Select(key => key.IsVerified).ToArray(),
            data = keys.Select(key => key.SessionData).ToArray(),
        }, ct);

    /// <summary>Deletes one key, those of a room, or all. Null: there is no such backup.</summary>
    public Task<KeyBackupState?> DeleteKeys(string userId, long version, string? roomId, string? sessionId, CancellationToken ct) =>
        db.FindOne<KeyBackupState>(
            "SELECT * FROM delete_backed_up_keys(@userId, @version, @roomId, @sessionId)", new { userId, version, roomId, sessionId }, ct);

    /// <summary>One key, those of a room, or all, by primary key.</summary>
    public Task<IReadOnlyList<BackedUpKey>> ListKeys(string userId, long version, string? roomId, string? sessionId, CancellationToken ct) =>
        db.List<BackedUpKey>(
        """
        SELECT room_id, session_id, first_message_index, forwarded_count, is_verified, session_data FROM backed_up_keys
        WHERE user_id = @userId AND version = @version AND (@roomId::text IS NULL OR room_id = @roomId) AND (@sessionId::text IS NULL OR session_id = @sessionId)
        ORDER BY room_id, session_id
        """, new { userId, version, roomId, sessionId }, ct);
}
