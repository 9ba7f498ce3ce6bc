using Matrix.Replication;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Http;

/// <summary>
/// Ends sessions. When it returns, no process accepts them any more: those that keep sessions have confirmed the change, or have not followed the log
/// for so long that they ask Postgres (<see cref="SessionCache"/>).
/// </summary>
public sealed class SessionEnding(LogWriter log, LogFollower follower, SessionCacheStore store, SessionCache cache, TimeProvider time)
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(2), LongestPause = TimeSpan.FromMilliseconds(50);

    /// <exception cref="ChangeRefusedException">A command refused; nothing is stored.</exception>
    public async Task<LogPosition> Append(LogChange change, CancellationToken ct)
    {
        var position = await log.Append(change, ct);
        var committed = time.GetTimestamp();
        await follower.WaitFor(position, ct);
        for (var pause = FirstPause; time.GetElapsedTime(committed) < SessionCache.LongestAge; pause = pause < LongestPause ? 2 * pause : LongestPause)
        {
            if (!await IsAnyBehind(position, ct))
                break;
            await Task.Delay(pause, time, ct);
        }
        return position;
    }

    async Task<bool> IsAnyBehind(LogPosition position, CancellationToken ct)
    {
        try
        {
            return await store.IsAnyBehind(cache.Process, position.Value, ct);
        }
        catch (NpgsqlException)
        {
            return true; // nobody can say: the time decides
        }
    }
}
