using StackExchange.Redis;

namespace Matrix.Replication;

/// <summary>
/// Token buckets that all replicas share in Redis. While Redis is away each process counts for itself: limits are then as many times as
/// generous as there are replicas, and nobody is refused for it.
/// </summary>
public sealed class RateBuckets(RedisConnection redis, TimeProvider time)
{
    /// <summary>Longest wait that is told, and longest time a bucket is remembered.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    // The time is Redis' own, so that the replicas' clocks do not matter. A bucket that has filled up again need not be stored.
    const string Script = """
        local clock = redis.call('TIME')
        local now = clock[1] * 1000 + clock[2] / 1000
        local rate, burst, longest = tonumber(ARGV[1]) / 1000, tonumber(ARGV[2]), tonumber(ARGV[3])
        local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
        local tokens = tonumber(bucket[1] or '') or burst
        local at = tonumber(bucket[2] or '') or now
        tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
        local wait = 0
        if tokens >= 1 then tokens = tokens - tonumber(ARGV[4]) else wait = math.ceil(math.min(longest, (1 - tokens) / rate)) end
        redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', now))
        redis.call('PEXPIRE', KEYS[1], math.ceil(math.min(longest, (burst - tokens) / rate)) + 1)
        return wait
        """;

    readonly LocalBuckets _local = new(time);

    /// <summary>Takes one token; when there is none, returns how long until there is.</summary>
    /// <param name="key">What is limited for whom, such as <c>rc_message:@alice:example.org</c>.</param>
    /// <param name="perSecond">Tokens that come back per second.</param>
    /// <param name="burst">Tokens that a full bucket holds.</param>
    public Task<TimeSpan?> Take(string key, double perSecond, double burst, CancellationToken ct) => Use(key, perSecond, burst, 1, ct);

    /// <summary>Like <see cref="Take"/>, but leaves the token there: for what is counted only once it has failed.</summary>
    public Task<TimeSpan?> Look(string key, double perSecond, double burst, CancellationToken ct) => Use(key, perSecond, burst, 0, ct);

    async Task<TimeSpan?> Use(string key, double perSecond, double burst, double cost, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        (perSecond, burst) = (Math.Max(perSecond, 1e-6), Math.Max(burst, 1));
        var wait = await redis.Use(async db => (long)await db.ScriptEvaluateAsync(
            Script, [(RedisKey)$"{redis.Prefix}rate:{key}"], [perSecond, burst, (long)Longest.TotalMilliseconds, cost]));
        return wait switch
        {
            null => _local.Take(key, perSecond, burst, Longest, cost),
            0 => null,
            { } milliseconds => TimeSpan.FromMilliseconds(milliseconds),
        };
    }
}
