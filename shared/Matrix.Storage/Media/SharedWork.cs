using System.Collections.Concurrent;
using Npgsql;

namespace Matrix.Storage.Media;

/// <summary>
/// What many may ask for at once and one of them makes for all: within a process they wait for one task; among replicas one holds the work's row in
/// Postgres, and the others look again and again whether the result is there. A holder that dies is succeeded when its time is over.
/// </summary>
public sealed class SharedWork(NpgsqlDataSource db, TimeProvider time)
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50), LongestPause = TimeSpan.FromSeconds(1);

    readonly ConcurrentDictionary<string, Lazy<Task<object?>>> _running = new();

    /// <param name="key">Names the result.</param>
    /// <param name="patience">How long the maker has; it is stopped then, and another may take its place.</param>
    /// <param name="find">The result where it is there already. Asked once before any work.</param>
    /// <param name="make">Makes the result and puts it where <paramref name="find"/> finds it. Not stopped by one caller who goes away.</param>
    public async Task<T> Get<T>(
        string key, TimeSpan patience, Func<CancellationToken, Task<T?>> find, Func<CancellationToken, Task<T>> make, CancellationToken ct) where T : class
    {
        if (await find(ct) is { } there)
            return there;
        var mine = new Lazy<Task<object?>>(() => Task.Run(async () =>
        {
            try
            {
                return (object?)await MakeOrWait(key, patience, find, make);
            }
            finally
            {
                _running.TryRemove(key, out _);
            }
        }));
        var work = _running.GetOrAdd(key, mine);
        return (T)(await work.Value.WaitAsync(ct))!;
    }

    async Task<T> MakeOrWait<T>(string key, TimeSpan patience, Func<CancellationToken, Task<T?>> find, Func<CancellationToken, Task<T>> make) where T : class
    {
        using var timeout = new CancellationTokenSource(patience * 2, time);
        var (holder, pause) = (Guid.NewGuid(), FirstPause);
        while (!await TryHold(key, holder, patience, timeout.Token))
        {
            await Task.Delay(pause, time, timeout.Token);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            if (await find(timeout.Token) is { } made)
                return made;
        }
        try
        {
            using var limit = new CancellationTokenSource(patience, time);
            // who held it before may have finished in between
            return await find(limit.Token) ?? await make(limit.Token);
        }
        finally
        {
            await db.Execute("DELETE FROM media_work WHERE key = @key AND holder = @holder", new { key, holder });
        }
    }

    async Task<bool> TryHold(string key, Guid holder, TimeSpan patience, CancellationToken ct) => await db.Execute(
        """
        INSERT INTO media_work AS held (key, holder, expires_at) VALUES (@key, @holder, clock_timestamp() + @patience)
        ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at WHERE held.expires_at < clock_timestamp()
        """, new { key, holder, patience }, ct) == 1;
}
