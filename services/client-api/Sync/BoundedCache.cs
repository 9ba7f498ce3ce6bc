using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// A cache with a limit on the weight of what it holds. Two generations: when the young one holds half the limit it becomes the old one, and
/// the old one is dropped; what is read in between moves on. Near the quality of least-recently-used, without its lock.
/// </summary>
sealed class BoundedCache<TKey, TValue>(long capacity, Func<TValue, long> weigh, IEqualityComparer<TKey>? comparer = null)
    where TKey : notnull
{
    ConcurrentDictionary<TKey, TValue> young = new(comparer);
    ConcurrentDictionary<TKey, TValue> old = new(comparer);
    long weight;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        if (young.TryGetValue(key, out value))
            return true;
        if (!old.TryGetValue(key, out value))
            return false;
        Set(key, value);
        return true;
    }

    public void Set(TKey key, TValue value)
    {
        young[key] = value;
        if (Interlocked.Add(ref weight, weigh(value)) > capacity / 2)
            Turn();
    }

    public void Remove(TKey key)
    {
        // the old generation first: a concurrent reader may be moving it to the young one
        old.TryRemove(key, out _);
        young.TryRemove(key, out _);
    }

    void Turn()
    {
        lock (weigh)
        {
            if (Interlocked.Read(ref weight) <= capacity / 2)
                return;
            old = young;
            young = new ConcurrentDictionary<TKey, TValue>(comparer);
            Interlocked.Exchange(ref weight, 0);
        }
    }
}
