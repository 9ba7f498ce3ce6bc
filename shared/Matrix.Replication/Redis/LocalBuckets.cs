namespace Matrix.Replication;

/// <summary>Token buckets of this process alone. Bounded: when there are too many, those that have filled up again are forgotten, else all.</summary>
sealed class LocalBuckets(TimeProvider time)
{
    const int Capacity = 20_000;

    readonly Lock _lock = new();
    readonly Dictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    public TimeSpan? Take(string key, double perSecond, double burst, TimeSpan longest, double cost = 1)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var tokens = burst;
            if (_buckets.TryGetValue(key, out var bucket))
                tokens = Math.Min(burst, bucket.Tokens + time.GetElapsedTime(bucket.At, now).TotalSeconds * perSecond);
            else
                MakeRoom(now);
            TimeSpan? wait = tokens >= 1 ? null : TimeSpan.FromSeconds(Math.Min(longest.TotalSeconds, (1 - tokens) / perSecond));
            tokens = tokens >= 1 ? tokens - cost : tokens;
            _buckets[key] = new Bucket(tokens, now, FullIn: TimeSpan.FromSeconds(Math.Min(longest.TotalSeconds, (burst - tokens) / perSecond)));
            return wait;
        }
    }

    void MakeRoom(long now)
    {
        if (_buckets.Count < Capacity)
            return;
        foreach (var (key, bucket) in _buckets)
        {
            if (time.GetElapsedTime(bucket.At, now) >= bucket.FullIn)
                _buckets.Remove(key);
        }
        if (_buckets.Count >= Capacity)
            _buckets.Clear();
    }

    readonly record struct Bucket(double Tokens, long At, TimeSpan FullIn);
}
