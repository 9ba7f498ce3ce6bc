using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Who an access token speaks for.</summary>
/// <param name="ExpiresAt">UTC; null: never. An expired token is still found, so that the client can be told to refresh it.</param>
/// <param name="Replaces">Set until the token's first use: the refresh token that it was exchanged for, to be given to
/// <see cref="SessionStore.Settle"/>.</param>
public sealed record Session(
    UserId UserId, DeviceId DeviceId, bool IsGuest, bool IsAdmin, DateTimeOffset? ExpiresAt, DateTimeOffset? LastSeenAt, string? LastSeenIp, byte[]? Replaces);

/// <summary>The hashes of a pair of tokens, with when they expire (UTC; null: never).</summary>
public sealed record TokenPair(byte[] AccessHash, DateTimeOffset? AccessExpiresAt, byte[]? RefreshHash, DateTimeOffset? RefreshExpiresAt);

/// <summary>What a refresh token may be exchanged for.</summary>
public sealed record RefreshableSession(UserId UserId, DeviceId DeviceId, DateTimeOffset? ExpiresAt, byte[]? Replaces);

/// <summary>Access and refresh tokens. See <see cref="SecretToken"/> for what the hashes are of.</summary>
public sealed class SessionStore(NpgsqlDataSource db)
{
    /// <summary>
    /// By primary key: the one query that every request makes. There is no cache, so logout, deactivation and a change of password hold
    /// at once on every replica, with no message that could be lost or late; it costs 0.1 ms on a prepared statement.
    /// </summary>
    public Task<Session?> Find(byte[] accessHash, CancellationToken ct) => db.FindOne<Session>(
        """
        SELECT t.user_id, t.device_id, u.is_guest, u.is_admin, t.expires_at, d.last_seen_at, d.last_seen_ip, r.replaces
        FROM access_tokens t
        JOIN users u USING (user_id)
        JOIN devices d USING (user_id, device_id)
        LEFT JOIN refresh_tokens r ON r.token_hash = t.refresh_token_hash
        WHERE t.token_hash = @accessHash AND u.deactivated_at IS NULL
        """, new { accessHash }, ct);

    /// <summary>The new pair is in use: the refresh token that it was exchanged for is worth nothing from now on.</summary>
    public Task<int> Settle(byte[] replaced, CancellationToken ct) =>
        db.Execute("DELETE FROM refresh_tokens WHERE token_hash = @replaced", new { replaced }, ct);

    /// <summary>Begins a session on a device, which is made if it is new. Every other token of the device dies.</summary>
    public async Task Start(DatabaseTransaction tx, UserId userId, DeviceId deviceId, string? displayName, string? ip, TokenPair tokens, CancellationToken ct)
    {
        await tx.Execute(
            """
            INSERT INTO devices (user_id, device_id, display_name, last_seen_at, last_seen_ip)
            VALUES (@userId, @deviceId, @displayName, now(), @ip)
            ON CONFLICT (user_id, device_id) DO UPDATE SET last_seen_at = now(), last_seen_ip = excluded.last_seen_ip
            """, new { userId, deviceId, displayName, ip }, ct);
        await tx.Execute("DELETE FROM refresh_tokens WHERE user_id = @userId AND device_id = @deviceId", new { userId, deviceId }, ct);
        await tx.Execute("DELETE FROM access_tokens WHERE user_id = @userId AND device_id = @deviceId", new { userId, deviceId }, ct);
        await Insert(tx, userId, deviceId, tokens, replaces: null, ct);
    }

    /// <summary>Locks the row, so that two exchanges of one token come one after the other.</summary>
    public Task<RefreshableSession?> FindRefreshable(DatabaseTransaction tx, byte[] refreshHash, CancellationToken ct) =>
        tx.FindOne<RefreshableSession>(
            """
            SELECT r.user_id, r.device_id, r.expires_at, r.replaces
            FROM refresh_tokens r JOIN users u USING (user_id)
            WHERE r.token_hash = @refreshHash AND u.deactivated_at IS NULL
            FOR UPDATE OF r
            """, new { refreshHash }, ct);

    /// <summary>
    /// Exchanges a refresh token. It stays good until the new pair is used (a client may lose the answer), and an earlier pair that it
    /// was exchanged for without being used dies; the token that it replaced itself is now settled.
    /// </summary>
    public async Task Exchange(DatabaseTransaction tx, byte[] refreshHash, RefreshableSession session, TokenPair tokens, CancellationToken ct)
    {
        if (session.Replaces is { } settled)
            await tx.Execute("DELETE FROM refresh_tokens WHERE token_hash = @settled", new { settled }, ct);
        await tx.Execute("DELETE FROM refresh_tokens WHERE replaces = @refreshHash", new { refreshHash }, ct);
        await Insert(tx, session.UserId, session.DeviceId, tokens, refreshHash, ct);
    }

    static async Task Insert(DatabaseTransaction tx, UserId userId, DeviceId deviceId, TokenPair tokens, byte[]? replaces, CancellationToken ct)
    {
        if (tokens.RefreshHash is not null)
        {
            await tx.Execute(
                """
                INSERT INTO refresh_tokens (token_hash, user_id, device_id, expires_at, replaces)
                VALUES (@RefreshHash, @userId, @deviceId, @RefreshExpiresAt, @replaces)
                """, new { tokens.RefreshHash, userId, deviceId, tokens.RefreshExpiresAt, replaces }, ct);
        }

        await tx.Execute(
            """
            INSERT INTO access_tokens (token_hash, user_id, device_id, expires_at, refresh_token_hash)
            VALUES (@AccessHash, @userId, @deviceId, @AccessExpiresAt, @RefreshHash)
            """, new { tokens.AccessHash, userId, deviceId, tokens.AccessExpiresAt, tokens.RefreshHash }, ct);
    }
}
