using Matrix.Storage;

namespace Matrix.Http;

/// <summary>Finds the session of an access token: in memory where this process follows the log, else in Postgres.</summary>
/// <param name="cache">Null in a process that does not follow the log.</param>
/// <param name="ending">Null there too: another process settles what was refreshed.</param>
sealed class SessionFinder(
    SessionStore store, DeviceStore devices, TimeProvider time, SessionCache? cache = null, SessionEnding? ending = null)
{
    /// <exception cref="MatrixException">401 M_UNKNOWN_TOKEN.</exception>
    public async ValueTask<Session> Get(byte[] tokenHash, string? ip, CancellationToken ct)
    {
        var key = TokenHash.Of(tokenHash);
        if (cache is null || !cache.TryGet(key, out var known))
            known = await Read(key, tokenHash, ct);
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

    async Task<KnownSession> Read(TokenHash key, byte[] tokenHash, CancellationToken ct)
    {
        var position = cache?.Position ?? default;
        var session = await store.Find(tokenHash, ct) ?? throw MatrixException.UnknownToken();
        var known = new KnownSession(session, position);
        if (session.Replaces is null)
            cache?.Set(key, known);
        return known;
    }
}
