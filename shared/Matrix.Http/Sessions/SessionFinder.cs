using Matrix.Storage;

namespace Matrix.Http;

/// <summary>Reads the session of the token with this hash.</summary>
public delegate Task<Session?> SessionRead(byte[] tokenHash, CancellationToken ct);

/// <summary>Finds the session of an access token: in memory where this process follows the log, else in Postgres.</summary>
/// <param name="cache">Null in a process that does not follow the log.</param>
/// <param name="ending">Null there too: another process settles what was refreshed.</param>
sealed class SessionFinder(
    SessionStore store, DeviceStore devices, TimeProvider time, SessionCache? cache = null, SessionEnding? ending = null)
{
    /// <exception cref="MatrixException">401 M_UNKNOWN_TOKEN.</exception>
    /// <param name="read">Asks Postgres, for more than the session; null: for it alone.</param>
    public async ValueTask<Session> Get(byte[] tokenHash, string? ip, SessionRead? read, CancellationToken ct)
    {
        var key = TokenHash.Of(tokenHash);
        if (cache is null || !cache.TryGet(key, out var known))
            known = await Read(key, tokenHash, read ?? store.Find, ct);
        var (session, now) = (known.Session, time.GetUtcNow());
        if (session.ExpiresAt <= now)
            throw MatrixException.UnknownToken(softLogout: true, "The access token has expired.");
        if (session.Replaces is { } replaced && ending is not null)
            await ending.Append(new SessionsChange(session.UserId, batch => SessionStore.AddSettle(batch, replaced)), ct);
        if (known.IsSeenStale(now, ip))
        {
            known.See(now, ip);
            await devices.Touch(session.UserId, session.DeviceId, ip, ct);
        }
        return session;
    }

    async Task<KnownSession> Read(TokenHash key, byte[] tokenHash, SessionRead read, CancellationToken ct)
    {
        var position = cache?.Position ?? default;
        var session = await read(tokenHash, ct) ?? throw MatrixException.UnknownToken();
        var known = new KnownSession(session, position);
        if (session.Replaces is null)
            cache?.Set(key, known);
        return known;
    }
}
