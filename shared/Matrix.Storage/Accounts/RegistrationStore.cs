using Npgsql;

namespace Matrix.Storage;

/// <summary>A token that allows to register.</summary>
/// <param name="UsesAllowed">Null: any number.</param>
/// <param name="Pending">Uses held by clients that are still registering.</param>
/// <param name="ExpiresAt">UTC; null: never.</param>
public sealed record RegistrationToken(string Token, int? UsesAllowed, int Pending, int Completed, DateTimeOffset? ExpiresAt)
{
    /// <summary>Whether somebody could use it now.</summary>
    public bool IsValid(DateTimeOffset now) =>
        (ExpiresAt is null || ExpiresAt > now) && (UsesAllowed is null || UsesAllowed > Completed + Pending);
}

/// <summary>What lets a stranger register: registration tokens, and nonces of shared-secret registration.</summary>
public sealed class RegistrationStore(NpgsqlDataSource db, TimeProvider time)
{
    static readonly TimeSpan NonceLifetime = TimeSpan.FromMinutes(1);

    const string TokenColumns =
        """
        token, uses_allowed,
        (SELECT count(*) FROM uia_sessions s WHERE s.registration_token = t.token AND s.expires_at >= now())::int AS pending,
        completed, expires_at
        """;

    public Task<IReadOnlyList<RegistrationToken>> ListTokens(CancellationToken ct) =>
        db.List<RegistrationToken>($"SELECT {TokenColumns} FROM registration_tokens t ORDER BY token", null, ct);

    public Task<RegistrationToken?> FindToken(string token, CancellationToken ct) =>
        db.FindOne<RegistrationToken>($"SELECT {TokenColumns} FROM registration_tokens t WHERE token = @token", new { token }, ct);

    /// <summary>False when there is a token of this name.</summary>
    public async Task<bool> InsertToken(string token, int? usesAllowed, DateTimeOffset? expiresAt, CancellationToken ct) => await db.Execute(
        "INSERT INTO registration_tokens (token, uses_allowed, expires_at) VALUES (@token, @usesAllowed, @expiresAt) ON CONFLICT DO NOTHING",
        new { token, usesAllowed, expiresAt }, ct) == 1;

    public async Task<bool> DeleteToken(string token, CancellationToken ct) =>
        await db.Execute("DELETE FROM registration_tokens WHERE token = @token", new { token }, ct) == 1;

    /// <summary>Whether the token could be used now.</summary>
    public async Task<bool> IsValid(string token, CancellationToken ct) =>
        await FindToken(token, ct) is { } found && found.IsValid(time.GetUtcNow());

    /// <summary>Gives one use of a token to a session; false when there is none left. The lock on the token lets no two take the last one.</summary>
    public async Task<bool> HoldToken(string token, string sessionId, CancellationToken ct)
    {
        await using var tx = await db.BeginTransaction(ct);
        await tx.FindOne<string>("SELECT token FROM registration_tokens WHERE token = @token FOR UPDATE", new { token }, ct);
        var held = await tx.Execute(
            """
            UPDATE uia_sessions SET registration_token = @token
            WHERE session_id = @sessionId AND EXISTS (
                SELECT 1 FROM registration_tokens t
                WHERE t.token = @token AND (t.expires_at IS NULL OR t.expires_at > now())
                  AND (t.uses_allowed IS NULL OR t.uses_allowed > t.completed + (
                      SELECT count(*) FROM uia_sessions s
                      WHERE s.registration_token = @token AND s.expires_at >= now() AND s.session_id <> @sessionId)))
            """, new { token, sessionId }, ct);
        await tx.CommitAsync(ct);
        return held == 1;
    }

    /// <summary>A use that was held is now spent; false when the token was deleted meanwhile.</summary>
    public async Task<bool> SpendToken(DatabaseTransaction tx, string token, CancellationToken ct) =>
        await tx.Execute("UPDATE registration_tokens SET completed = completed + 1 WHERE token = @token", new { token }, ct) == 1;

    /// <summary>A nonce good for one shared-secret registration within a minute, on any replica.</summary>
    public async Task<string> InsertNonce(CancellationToken ct)
    {
        var nonce = SecretToken.Generate();
        await db.Execute(
            """
            WITH old AS (DELETE FROM registration_nonces WHERE expires_at < now())
            INSERT INTO registration_nonces (nonce, expires_at) VALUES (@nonce, now() + @NonceLifetime)
            """, new { nonce, NonceLifetime }, ct);
        return nonce;
    }

    /// <summary>Takes a nonce; only one caller ever gets true for it.</summary>
    public async Task<bool> TakeNonce(string nonce, CancellationToken ct) =>
        await db.Execute("DELETE FROM registration_nonces WHERE nonce = @nonce AND expires_at >= now()", new { nonce }, ct) == 1;
}
