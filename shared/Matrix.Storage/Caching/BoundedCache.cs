using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Matrix.Storage.Caching;

/// <summary>
/// A cache with a limit on the weight of what it holds. Two generations: when the young one holds half the limit it becomes the old one, and
/// the old one is dropped; what is read in between moves on. Near the quality of least-recently-used, without one lock for all.
/// </summary>
/// <param name="capacity">The most that it may weigh.</param>
/// <param name="weigh">What an entry weighs, when it is set.</param>
public sealed class BoundedCache<TKey, TValue>(long capacity, Func<TKey, TValue, long> weigh, IEqualityComparer<TKey>? comparer = null) : IBoundedCache
    where TKey : notnull
{
    readonly Lock turning = new();
    /// <summary>A key's entries change under its stripe's lock; what is in the young generation is read without.</summary>
    readonly Lock[] stripes = [.. Enumerable.Range(0, 32).Select(_ => new Lock())];
    volatile Generations current = new(comparer);
    long hits, misses, evictions;

    public long Hits => Volatile.Read(ref hits);

    public long Misses => Volatile.Read(ref misses);

    public long Evictions => Volatile.Read(ref evictions);

    public long Weight => current.Young.Weight + current.Old.Weight;

    public long Capacity => capacity;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        if (current.Young.TryGet(key, out var entry) || Promote(key, out entry))
        {
            Interlocked.Increment(ref hits);
            value = entry.Value;
            return true;
        }
        Interlocked.Increment(ref misses);
        value = default;
        return false;
    }

    public void Set(TKey key, TValue value)
    {
        Generations now;
        lock (StripeOf(key))
        {
            now = current;
            now.Young.Set(key, new Entry(value, weigh(key, value)));
        }
        TurnIfFull(now);
    }

    /// <summary>
    /// Sets what was read unless something has changed since. Who tells of a change counts it first and removes the entry then, so that what was read before it
    /// is either not set or removed.
    /// </summary>
    /// <param name="changes">Counts the changes.</param>
    /// <param name="before">What it said before the value was read.</param>
    public void Set(TKey key, TValue value, ref readonly int changes, int before)
    {
        Generations now;
        lock (StripeOf(key)) // with Remove
        {
            now = current; // before the look at the changes, for Clear
            if (Volatile.Read(in changes) != before)
                return;
            now.Young.Set(key, new Entry(value, weigh(key, value)));
        }
        TurnIfFull(now);
    }

    public void Remove(TKey key)
    {
        lock (StripeOf(key))
        {
            Generations now;
            do
            {
                now = current;
                now.Old.Remove(key);
                now.Young.Remove(key);
            }
            while (now != current);
        }
    }

    public void Clear()
    {
        lock (turning)
            current = new Generations(comparer);
    }

    bool Promote(TKey key, out Entry entry)
    {
        Generations now;
        lock (StripeOf(key)) // with Remove: what was removed does not come back
        {
            now = current;
            if (now.Young.TryGet(key, out entry))
                return true;
            if (!now.Old.TryGet(key, out entry))
                return false;
            now.Young.Set(key, entry);
            now.CountPromotion();
        }
        TurnIfFull(now);
        return true;
    }

    Lock StripeOf(TKey key) => stripes[(uint)(comparer?.GetHashCode(key) ?? key.GetHashCode()) % (uint)stripes.Length];

    void TurnIfFull(Generations full)
    {
        if (full.Young.Weight <= capacity / 2)
            return;
        lock (turning)
        {
            if (full != current)
                return;
            Interlocked.Add(ref evictions, Math.Max(0, full.Old.Count - full.Promotions));
            current = new Generations(full.Young, new Generation(comparer));
        }
    }

    readonly record struct Entry(TValue Value, long Weight);

    sealed class Generations(Generation old, Generation young)
    {
        public Generations(IEqualityComparer<TKey>? comparer) : this(new Generation(comparer), new Generation(comparer))
        {
        }

        int promotions;

        public Generation Old => old;

        public Generation Young => young;

        /// <summary>Entries of the old generation that are in the young one too.</summary>
        public int Promotions => Volatile.Read(ref promotions);

        public void CountPromotion() => Interlocked.Increment(ref promotions);
    }

    sealed class Generation(IEqualityComparer<TKey>? comparer)
    {
        readonly ConcurrentDictionary<TKey, Entry> entries = new(comparer);
        long weight;

        public long Weight => Volatile.Read(ref weight);

        public bool TryGet(TKey key, out Entry entry) => entries.TryGetValue(key, out entry);

        public int Count => entries.Count;

        public void Set(TKey key, Entry entry)
        {
            Remove(key);
            entries[key] = entry;
            Interlocked.Add(ref weight, entry.Weight);
        }

        public void Remove(TKey key)
        {
            if (entries.TryRemove(key, out var removed))
                Interlocked.Add(ref weight, -removed.Weight);
        }
    }
}
