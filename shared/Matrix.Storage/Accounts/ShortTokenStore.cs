using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Tokens that live for minutes and open one thing. See <see cref="SecretToken"/> for what the hashes are of.</summary>
public sealed class ShortTokenStore(NpgsqlDataSource db)
{
    /// <summary>A token by which anybody can ask this server who the user is, over federation (<c>openid/userinfo</c>).</summary>
    public Task<string> InsertOpenId(UserId userId, TimeSpan lifetime, CancellationToken ct) => Insert("openid_tokens", userId, lifetime, ct);

    /// <summary>Whose token it is; null when it is not good, any more or at all.</summary>
    public Task<UserId?> FindOpenId(string token, CancellationToken ct) => db.FindOne<UserId?>(
        """
        SELECT t.user_id FROM openid_tokens t JOIN users u USING (user_id)
        WHERE t.token_hash = @hash AND t.expires_at >= now() AND u.deactivated_at IS NULL
        """, new { hash = SecretToken.Hash(token) }, ct);

    /// <summary>A token by which another device of the user logs in once.</summary>
    public Task<string> InsertLogin(UserId userId, TimeSpan lifetime, CancellationToken ct) => Insert("login_tokens", userId, lifetime, ct);

    /// <summary>Takes a login token; only one caller ever gets its user.</summary>
    public Task<UserId?> TakeLogin(string token, CancellationToken ct) => db.FindOne<UserId?>(
        "DELETE FROM login_tokens WHERE token_hash = @hash AND expires_at >= now() RETURNING user_id", new { hash = SecretToken.Hash(token) }, ct);

    // what has expired goes when something new comes
    async Task<string> Insert(string table, UserId userId, TimeSpan lifetime, CancellationToken ct)
    {
        var token = SecretToken.Generate();
        await db.Execute(
            $"""
            WITH old AS (DELETE FROM {table} WHERE expires_at < now())
            INSERT INTO {table} (token_hash, user_id, expires_at) VALUES (@hash, @userId, now() + @lifetime)
            """, new { hash = SecretToken.Hash(token), userId, lifetime }, ct);
        return token;
    }
}
