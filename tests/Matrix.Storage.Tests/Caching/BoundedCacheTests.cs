using Matrix.Storage.Caching;
using Microsoft.Extensions.Configuration;

namespace Matrix.Storage.Tests.Caching;

public sealed class BoundedCacheTests
{
    [Fact]
    public void It_never_holds_more_than_its_capacity_and_keeps_what_is_used()
    {
        var cache = new BoundedCache<int, int>(100, (_, _) => 1);
        cache.Set(-1, -1);
        for (var i = 0; i < 10_000; i++)
        {
            cache.Set(i, i);
            Assert.True(cache.TryGet(-1, out var used) && used == -1);
            Assert.True(cache.TryGet(i, out _));
        }
        Assert.InRange(Enumerable.Range(0, 10_000).Count(i => cache.TryGet(i, out _)), 0, 100);
    }

    [Fact]
    public void It_counts_what_it_found_and_what_it_did_not_and_what_it_holds()
    {
        using var caches = new Caches(new CacheOptions());
        var cache = caches.Create<int, string>("tests", 64 << 10, (_, value) => Caches.WeightOf(value));
        cache.Set(1, "1234");
        cache.Set(1, "123456");
        Assert.True(cache.TryGet(1, out _));
        Assert.False(cache.TryGet(2, out _));
        Assert.Equal((1, 1, 0, Caches.Overhead + 24 + 12), (cache.Hits, cache.Misses, cache.Evictions, cache.Weight));
        for (var i = 0; i < 10_000; i++)
            cache.Set(i, "1234");
        Assert.InRange(cache.Weight, 1, cache.Capacity);
        Assert.Equal(10_000, cache.Evictions + cache.Weight / (Caches.Overhead + 24 + 8));
        Assert.Same(cache, caches.All["tests"]);
    }

    [Fact]
    public async Task What_was_removed_does_not_come_back_by_being_read()
    {
        var cache = new BoundedCache<int, int>(64, (_, _) => 1);
        var stop = false;
        var readers = Task.Run(() =>
        {
            while (!Volatile.Read(ref stop))
                cache.TryGet(0, out _);
        }, TestContext.Current.CancellationToken);
        for (var i = 1; i < 200_000; i++)
        {
            cache.Set(0, i);
            for (var other = 1; other <= i % 64; other++)
                cache.Set(other, other);
            cache.Remove(0);
            Assert.False(cache.TryGet(0, out _));
        }
        Volatile.Write(ref stop, true);
        await readers;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_read_before_a_change_is_not_kept_after_it(bool clears)
    {
        var cache = new BoundedCache<int, int>(64, (_, _) => 1);
        var (truth, changes, stop) = (0, 0, false);
        var reader = Task.Run(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                var before = Volatile.Read(ref changes);
                cache.Set(0, Volatile.Read(ref truth), ref changes, before);
            }
        }, TestContext.Current.CancellationToken);
        for (var i = 1; i < 200_000; i++)
        {
            Volatile.Write(ref truth, i);
            Interlocked.Increment(ref changes);
            if (clears)
                cache.Clear();
            else
                cache.Remove(0);
            Assert.True(!cache.TryGet(0, out var kept) || kept == i);
        }
        Volatile.Write(ref stop, true);
        await reader;
    }

    [Theory]
    [InlineData(null, null, 1)]
    [InlineData("0.5", null, 0.5)]
    [InlineData("0.5", "3", 3)]
    public void Factors_scale_caches(string? global, string? own, double factor)
    {
        var options = new CacheOptions();
        options.Read(new ConfigurationBuilder().AddInMemoryCollection(
            [new("caches:global_factor", global), new("caches:per_cache_factors:events", own)]).Build());
        using var caches = new Caches(options);
        Assert.Equal((long)(factor * (8 << 20)), caches.Create<int, int>("events", 8 << 20, (_, _) => 1).Capacity);
        Assert.Empty(options.Mistakes);
    }

    [Fact]
    public void A_factor_that_is_none_is_reported()
    {
        var options = new CacheOptions();
        options.Read(new ConfigurationBuilder().AddInMemoryCollection([new("caches:global_factor", "much")]).Build());
        Assert.Equal(["caches.global_factor: 'much' is not a number from 0 to 1000"], options.Mistakes);
    }

    [Fact]
    public void What_was_removed_is_gone_from_both_generations()
    {
        var cache = new BoundedCache<int, int>(8, (_, _) => 1);
        cache.Set(1, 1);
        cache.Set(2, 2);
        cache.Set(3, 3);
        cache.Remove(1);
        cache.Remove(3);
        Assert.False(cache.TryGet(1, out _));
        Assert.False(cache.TryGet(3, out _));
    }
}
