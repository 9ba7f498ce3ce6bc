using StackExchange.Redis;

namespace Matrix.Replication;

/// <summary>
/// The last position that any process has told Redis: a follower that the bus does not reach sees there, for less than a query, whether it is
/// behind. Only a hint: it may be missing, old, or (after Redis served another database) too high.
/// </summary>
public sealed class SharedPosition(RedisConnection redis)
{
    readonly RedisKey _key = $"{redis.Prefix}log-position";

    public Task Store(LogPosition position) =>
        redis.Use(db => db.StringSetAsync(_key, position.Value, expiry: null, keepTtl: false, When.Always, CommandFlags.FireAndForget));

    public async Task<LogPosition?> Find()
    {
        var value = await redis.Use(async db => await db.StringGetAsync(_key));
        return value is { } found && found.TryParse(out long position) ? new LogPosition(position) : null;
    }
}
