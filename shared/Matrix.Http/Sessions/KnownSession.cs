using System.Runtime.InteropServices;
using Matrix.Replication;
using Matrix.Storage;

namespace Matrix.Http;

/// <summary>A session as it was when this process had followed the log up to a position.</summary>
sealed class KnownSession(Session session, LogPosition readAt)
{
    volatile Sighting seen = new(session.LastSeenAt, session.LastSeenIp);

    public Session Session => session;

    public LogPosition ReadAt => readAt;

    public long Weight => 300 + 2 * (session.UserId.ToString().Length + session.DeviceId.ToString().Length + (session.LastSeenIp?.Length ?? 0));

    // "last seen" is for people: one write in ten minutes, or in one when the address changed, is exact enough
    public bool IsSeenStale(DateTimeOffset now, string? ip) =>
        now - seen.At is not { } age || age > TimeSpan.FromMinutes(ip == seen.Ip ? 10 : 1);

    public void See(DateTimeOffset now, string? ip) => seen = new Sighting(now, ip);

    sealed record Sighting(DateTimeOffset? At, string? Ip);
}

/// <summary>SHA-256 of an access token, as a key.</summary>
readonly record struct TokenHash(long A, long B, long C, long D)
{
    public static TokenHash Of(ReadOnlySpan<byte> sha256)
    {
        var parts = MemoryMarshal.Cast<byte, long>(sha256);
        return new TokenHash(parts[0], parts[1], parts[2], parts[3]);
    }

    // of a hash any part is as good as a hash of it
    public override int GetHashCode() => A.GetHashCode();
}
