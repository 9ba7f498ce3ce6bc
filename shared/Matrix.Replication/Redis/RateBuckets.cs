using StackExchange.Redis;

namespace Matrix.Replication;

/// <summary>
/// Token buckets that all replicas share in Redis. While Redis is away each process counts for itself: limits are then as many times as
/// generous as there are replicas, and nobody is refused for it.
/// A process that takes a token from a bucket that is well filled takes some more with it, for the next requests of the same user, which
/// come to the same process: most requests then ask nobody. All tokens are taken from the one bucket, so the replicas together never have more than it held.
/// </summary>
public sealed class RateBuckets(RedisConnection redis, TimeProvider time)
{
    /// <summary>At most this part of what a bucket holds is taken ahead, and no more than so many tokens, for no longer than this.</summary>
    const int AheadPart = 4, MostAhead = 50;
    static readonly TimeSpan AheadFor = TimeSpan.FromSeconds(30);

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
        local answer = 0
        if tokens >= 1 then
            tokens = tokens - tonumber(ARGV[4])
            local ahead = math.min(tonumber(ARGV[6]), math.floor(tokens / tonumber(ARGV[5])))
            tokens = tokens - ahead
            answer = -ahead
        else
            answer = math.ceil(math.min(longest, (1 - tokens) / rate))
        end
        redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', now))
        redis.call('PEXPIRE', KEYS[1], math.ceil(math.min(longest, (burst - tokens) / rate)) + 1)
        return answer
        """;

    readonly LocalBuckets _local = new(time);
    readonly TokensAhead _ahead = new(time, AheadFor);

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
        if (cost > 0 ? _ahead.TryTake(key) : _ahead.Has(key))
            return null;
        var answer = await redis.Use(async db => (long)await db.ScriptEvaluateAsync(Script, [(RedisKey)$"{redis.Prefix}rate:{key}"],
            [perSecond, burst, (long)Longest.TotalMilliseconds, cost, AheadPart, cost > 0 ? MostAhead : 0]));
        switch (answer)
        {
            case null:
                return _local.Take(key, perSecond, burst, Longest, cost);
            case <= 0:
                _ahead.Add(key, (int)-answer);
                return null;
            default:
                return TimeSpan.FromMilliseconds(answer.Value);
        }
    }
}

/// <summary>Tokens that this process has taken from shared buckets before they are needed. Bounded; what is forgotten fills up again.</summary>
sealed class TokensAhead(TimeProvider time, TimeSpan lifetime)
{
    const int Capacity = 20_000;

    readonly Lock _lock = new();
    readonly Dictionary<string, (int Tokens, long At)> _taken = new(StringComparer.Ordinal);

    public bool Has(string key)
    {
        lock (_lock)
            return _taken.TryGetValue(key, out var taken) && time.GetElapsedTime(taken.At) < lifetime;
    }

    public bool TryTake(string key)
    {
        lock (_lock)
        {
            if (!_taken.TryGetValue(key, out var taken))
                return false;
            var isGood = time.GetElapsedTime(taken.At) < lifetime;
            if (isGood && taken.Tokens > 1)
                _taken[key] = taken with { Tokens = taken.Tokens - 1 };
            else
                _taken.Remove(key);
            return isGood;
        }
    }

    public void Add(string key, int tokens)
    {
        if (tokens == 0)
            return;
        lock (_lock)
        {
            if (_taken.Count >= Capacity)
                _taken.Clear();
            _taken[key] = (tokens, time.GetTimestamp());
        }
    }
}
