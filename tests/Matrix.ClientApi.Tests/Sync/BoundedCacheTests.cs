using Matrix.ClientApi.Sync;

namespace Matrix.ClientApi.Tests.Sync;

public sealed class BoundedCacheTests
{
    [Fact]
    public void It_never_holds_more_than_its_capacity_and_keeps_what_is_used()
    {
        var cache = new BoundedCache<int, int>(100, _ => 1);
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
    public void What_was_removed_is_gone_from_both_generations()
    {
        var cache = new BoundedCache<int, int>(4, _ => 1);
        cache.Set(1, 1);
        cache.Set(2, 2);
        cache.Set(3, 3);
        cache.Remove(1);
        cache.Remove(3);
        Assert.False(cache.TryGet(1, out _));
        Assert.False(cache.TryGet(3, out _));
    }
}
