using Npgsql;

namespace Matrix.Storage;

/// <summary>A client on its way through user-interactive authentication, and the stages it has completed.</summary>
/// <param name="Operation">What the session authorises.</param>
/// <param name="RegistrationToken">The registration token that the session holds one use of, if any.</param>
public sealed record UiaSession(string SessionId, string Operation, string[] Completed, string? RegistrationToken);

/// <summary>User-interactive authentication (spec: client-server API). Sessions are rows, so that any replica goes on with any of them.</summary>
public sealed class UiaSessionStore(NpgsqlDataSource db)
{
    static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>Begins a session, and drops those that have expired.</summary>
    public async Task<UiaSession> Insert(string operation, CancellationToken ct)
    {
        var sessionId = SecretToken.Generate();
        await db.Execute(
            """
            WITH old AS (DELETE FROM uia_sessions WHERE expires_at < now())
            INSERT INTO uia_sessions (session_id, operation, expires_at) VALUES (@sessionId, @operation, now() + @Lifetime)
            """, new { sessionId, operation, Lifetime }, ct);
        return new UiaSession(sessionId, operation, [], null);
    }

    public Task<UiaSession?> Find(string sessionId, string operation, CancellationToken ct) => db.FindOne<UiaSession>(
        """
        SELECT session_id, operation, completed, registration_token FROM uia_sessions
        WHERE session_id = @sessionId AND operation = @operation AND expires_at >= now()
        """, new { sessionId, operation }, ct);

    public Task<UiaSession?> Complete(string sessionId, string stage, CancellationToken ct) => db.FindOne<UiaSession>(
        """
        UPDATE uia_sessions SET completed = CASE WHEN @stage = ANY(completed) THEN completed ELSE completed || @stage END
        WHERE session_id = @sessionId
        RETURNING session_id, operation, completed, registration_token
        """, new { sessionId, stage }, ct);

    /// <summary>The session has done what it was for; it can do nothing else. False when it already had.</summary>
    public async Task<bool> Delete(DatabaseTransaction tx, string sessionId, CancellationToken ct) =>
        await tx.Execute("DELETE FROM uia_sessions WHERE session_id = @sessionId", new { sessionId }, ct) == 1;

    /// <summary>The same without a transaction.</summary>
    public async Task<bool> Delete(string sessionId, CancellationToken ct) =>
        await db.Execute("DELETE FROM uia_sessions WHERE session_id = @sessionId", new { sessionId }, ct) == 1;
}
