using Matrix.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace Matrix.Replication.Tests;

public sealed class RateBucketsTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Replicas_share_a_bucket()
    {
        await using var one = await Connect();
        await using var two = await Connect();
        var (a, b) = (new RateBuckets(one, TimeProvider.System), new RateBuckets(two, TimeProvider.System));
        var key = $"{Guid.NewGuid()}";
        for (var i = 0; i < 3; i++)
            Assert.Null(await (i % 2 == 0 ? a : b).Take(key, perSecond: 0.01, burst: 3, Ct));
        var wait = await b.Take(key, perSecond: 0.01, burst: 3, Ct);
        Assert.InRange(wait!.Value.TotalSeconds, 90, 100);
        Assert.NotNull(await a.Take(key, 0.01, 3, Ct));
        Assert.Null(await a.Take(key + "other", 0.01, 3, Ct));
    }

    [Fact]
    public async Task What_is_taken_ahead_comes_from_the_same_bucket()
    {
        await using var one = await Connect();
        await using var two = await Connect();
        RateBuckets[] replicas = [new(one, TimeProvider.System), new(two, TimeProvider.System)];
        var key = $"{Guid.NewGuid()}";
        var taken = 0;
        for (var i = 0; i < 400; i++)
            taken += await replicas[i % 2].Take(key, perSecond: 0.001, burst: 100, Ct) is null ? 1 : 0;
        Assert.Equal(100, taken);
    }

    [Fact]
    public async Task A_bucket_fills_up_again()
    {
        await using var redis = await Connect();
        var buckets = new RateBuckets(redis, TimeProvider.System);
        var key = $"{Guid.NewGuid()}";
        Assert.Null(await buckets.Take(key, perSecond: 0.001, burst: 1, Ct));
        var wait = await buckets.Take(key, perSecond: 0.001, burst: 1, Ct); // so slowly that there is none yet, however busy the machine is
        Assert.InRange(wait!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1000));
        await Eventually.True("there is one again", async () => await buckets.Take(key, perSecond: 20, burst: 1, Ct) is null);
    }

    [Fact]
    public async Task Without_Redis_a_process_counts_for_itself()
    {
        await using var none = new RedisConnection(null, "", TimeProvider.System, NullLogger<RedisConnection>.Instance);
        await Refuses_after_the_burst(none);
    }

    [Fact]
    public async Task With_Redis_away_a_process_counts_for_itself()
    {
        await using var away = new RedisConnection(new RedisOptions { Port = 1 }, "", TimeProvider.System, NullLogger<RedisConnection>.Instance);
        await Refuses_after_the_burst(away);
    }

    [Fact]
    public void Local_buckets_are_bounded_and_refill()
    {
        var time = new FakeTimeProvider();
        var local = new LocalBuckets(time);
        Assert.Null(local.Take("a", 1, 1, TimeSpan.FromDays(1)));
        Assert.Equal(TimeSpan.FromSeconds(1), local.Take("a", 1, 1, TimeSpan.FromDays(1)));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(local.Take("a", 1, 1, TimeSpan.FromDays(1)));
        for (var i = 0; i < 50_000; i++)
            Assert.Null(local.Take($"{i}", 0.001, 1, TimeSpan.FromDays(1)));
    }

    static async Task Refuses_after_the_burst(RedisConnection redis)
    {
        var buckets = new RateBuckets(redis, TimeProvider.System);
        for (var i = 0; i < 5; i++)
            Assert.Null(await buckets.Take("k", 0.01, 5, Ct));
        Assert.NotNull(await buckets.Take("k", 0.01, 5, Ct));
    }

    /// <summary>A connection that has been made.</summary>
    static async Task<RedisConnection> Connect()
    {
        var at = ConfigurationOptions.Parse(await TestServices.Redis);
        var endpoint = at.EndPoints[0].ToString()!.Split('/')[^1].Split(':');
        var redis = new RedisConnection(
            new RedisOptions { Host = endpoint[0], Port = int.Parse(endpoint[1], System.Globalization.CultureInfo.InvariantCulture), Password = at.Password },
            $"test:{Guid.Empty}:", TimeProvider.System, NullLogger<RedisConnection>.Instance);
        await Eventually.True("Redis answers", async () => await redis.Use(db => db.PingAsync()) is not null);
        return redis;
    }
}
