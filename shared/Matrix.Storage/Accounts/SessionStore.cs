using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Who an access token speaks for.</summary>
/// <param name="ExpiresAt">UTC; null: never. An expired token is still found, so that the client can be told to refresh it.</param>
/// <param name="Replaces">Set until the token's first use: the refresh token that it was exchanged for, to be given to
/// <see cref="SessionStore.AddSettle"/>.</param>
public sealed record Session(
    UserId UserId, DeviceId DeviceId, bool IsGuest, bool IsAdmin, DateTimeOffset? ExpiresAt, DateTimeOffset? LastSeenAt, string? LastSeenIp, byte[]? Replaces,
    bool IsLocked = false, bool IsSuspended = false);

/// <summary>The hashes of a pair of tokens, with when they expire (UTC; null: never).</summary>
public sealed record TokenPair(byte[] AccessHash, DateTimeOffset? AccessExpiresAt, byte[]? RefreshHash, DateTimeOffset? RefreshExpiresAt);

/// <summary>What a refresh token may be exchanged for.</summary>
public sealed record RefreshableSession(UserId UserId, DeviceId DeviceId, DateTimeOffset? ExpiresAt, bool IsLocked = false);

/// <summary>
/// Access and refresh tokens. See <see cref="SecretToken"/> for what the hashes are of. Processes keep what <see cref="Find"/> returns, so whatever
/// ends a session is a change of the log: the methods <c>Add…</c> are its commands.
/// </summary>
public sealed class SessionStore(NpgsqlDataSource db)
{
    const string Select =
        """
        SELECT t.user_id, t.device_id, u.is_guest, u.is_admin, t.expires_at, d.last_seen_at, d.last_seen_ip, r.replaces, u.is_locked,
            u.is_suspended
        FROM access_tokens t
        JOIN users u USING (user_id)
        JOIN devices d USING (user_id, device_id)
        LEFT JOIN refresh_tokens r ON r.token_hash = t.refresh_token_hash
        WHERE u.deactivated_at IS NULL AND t.token_hash =
        """;

    /// <summary>By primary key.</summary>
    public Task<Session?> Find(byte[] accessHash, CancellationToken ct) => db.FindOne<Session>($"{Select} @accessHash", new { accessHash }, ct);

    /// <summary><see cref="Find"/>, together with something else.</summary>
    public static void AddFind(NpgsqlBatch batch, byte[] accessHash) => batch.Add($"{Select} $1", accessHash);

    /// <summary>By primary key.</summary>
    public Task<RefreshableSession?> FindRefreshable(byte[] refreshHash, CancellationToken ct) => db.FindOne<RefreshableSession>(
        """
        SELECT r.user_id, r.device_id, r.expires_at, u.is_locked
        FROM refresh_tokens r JOIN users u USING (user_id)
        WHERE r.token_hash = @refreshHash AND u.deactivated_at IS NULL
        """, new { refreshHash }, ct);

    /// <summary>The new pair is in use: the refresh token that it was exchanged for is worth nothing from now on.</summary>
    public static void AddSettle(NpgsqlBatch batch, byte[] replaced) =>
        batch.Add("DELETE FROM refresh_tokens WHERE token_hash = $1", replaced);

    /// <summary>Begins a session on a device, which is made if it is new. Every other token of the device dies.</summary>
    public static void AddStart(NpgsqlBatch batch, UserId userId, DeviceId deviceId, string? displayName, string? ip, TokenPair tokens)
    {
        batch.Add(
            """
            INSERT INTO devices (user_id, device_id, display_name, last_seen_at, last_seen_ip) VALUES ($1, $2, $3, now(), $4)
            ON CONFLICT (user_id, device_id) DO UPDATE SET last_seen_at = now(), last_seen_ip = excluded.last_seen_ip
            """, userId, deviceId, displayName, ip);
        batch.Add("DELETE FROM refresh_tokens WHERE user_id = $1 AND device_id = $2", userId, deviceId);
        batch.Add("DELETE FROM access_tokens WHERE user_id = $1 AND device_id = $2", userId, deviceId);
        AddTokens(batch, userId, deviceId, tokens, replaces: null);
    }

    /// <summary>
    /// Exchanges a refresh token, or fails when it is no longer good. It stays good until the new pair is used (a client may lose the answer), and an
    /// earlier pair that it was exchanged for without being used dies; the token that it replaced itself is now settled.
    /// </summary>
    public static void AddExchange(NpgsqlBatch batch, byte[] refreshHash, RefreshableSession session, TokenPair tokens)
    {
        batch.Add(
            """
            SELECT refuse_unless(EXISTS (
                SELECT 1 FROM refresh_tokens JOIN users USING (user_id) WHERE token_hash = $1 AND deactivated_at IS NULL), 'refresh token')
            """, refreshHash);
        batch.Add("DELETE FROM refresh_tokens WHERE token_hash = (SELECT replaces FROM refresh_tokens WHERE token_hash = $1)", refreshHash);
        batch.Add("DELETE FROM refresh_tokens WHERE replaces = $1", refreshHash);
        AddTokens(batch, session.UserId, session.DeviceId, tokens, refreshHash);
    }

    static void AddTokens(NpgsqlBatch batch, UserId userId, DeviceId deviceId, TokenPair tokens, byte[]? replaces)
    {
        if (tokens.RefreshHash is not null)
        {
            batch.Add("INSERT INTO refresh_tokens (token_hash, user_id, device_id, expires_at, replaces) VALUES ($1, $2, $3, $4, $5)",
                tokens.RefreshHash, userId, deviceId, tokens.RefreshExpiresAt, replaces);
        }
        batch.Add("INSERT INTO access_tokens (token_hash, user_id, device_id, expires_at, refresh_token_hash) VALUES ($1, $2, $3, $4, $5)",
            tokens.AccessHash, userId, deviceId, tokens.AccessExpiresAt, tokens.RefreshHash);
    }
}
