using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Matrix.Storage.Caching;

/// <summary>What the metrics say of a cache.</summary>
public interface IBoundedCache
{
    long Hits { get; }

    long Misses { get; }

    long Evictions { get; }

    long Weight { get; }

    long Capacity { get; }
}

/// <summary>
/// Makes the caches of a process. Each has a size in bytes by default, which <c>caches.global_factor</c> or <c>caches.per_cache_factors</c>
/// scales; the meter <c>Matrix.Caches</c> tells how each of them does.
/// </summary>
public sealed class Caches : IDisposable
{
    /// <summary>What an entry costs beside its key and value: the node in the dictionary, and its bucket.</summary>
    public const int Overhead = 96;

    /// <summary>What is held by fewer bytes than this is not worth having.</summary>
    const long Least = 64 << 10;

    readonly CacheOptions options;
    readonly ConcurrentDictionary<string, IBoundedCache> all = new();
    readonly Meter meter = new("Matrix.Caches");

    public Caches(CacheOptions options)
    {
        this.options = options;
        meter.CreateObservableCounter("matrix.cache.hits", () => Measure(cache => cache.Hits), description: "What was found");
        meter.CreateObservableCounter("matrix.cache.misses", () => Measure(cache => cache.Misses), description: "What was not found");
        meter.CreateObservableCounter("matrix.cache.evictions", () => Measure(cache => cache.Evictions), description: "Entries that had to make room");
        meter.CreateObservableGauge("matrix.cache.size", () => Measure(cache => cache.Weight), "By", "Bytes that are held, estimated");
        meter.CreateObservableGauge("matrix.cache.limit", () => Measure(cache => cache.Capacity), "By", "Bytes that may be held");
    }

    /// <summary>The caches by name.</summary>
    public IReadOnlyDictionary<string, IBoundedCache> All => all;

    /// <summary>A cache of its own name.</summary>
    /// <param name="bytes">Its limit at a factor of 1.</param>
    /// <param name="weigh">The bytes of a key and its value; what every entry costs is added.</param>
    public BoundedCache<TKey, TValue> Create<TKey, TValue>(
        string name, long bytes, Func<TKey, TValue, long> weigh, IEqualityComparer<TKey>? comparer = null)
        where TKey : notnull
    {
        var cache = new BoundedCache<TKey, TValue>(Scale(name, bytes), (key, value) => Overhead + weigh(key, value), comparer);
        all[name] = cache;
        return cache;
    }

    /// <summary>For what is bounded in another way.</summary>
    public long Scale(string name, long bytes) => Math.Max(Least, (long)(bytes * options.FactorOf(name)));

    public double FactorOf(string name) => options.FactorOf(name);

    /// <summary>The bytes of a string on the heap.</summary>
    public static long WeightOf(string? text) => text is null ? 0 : 24 + 2L * text.Length;

    public void Dispose() => meter.Dispose();

    IEnumerable<Measurement<long>> Measure(Func<IBoundedCache, long> value) =>
        all.Select(cache => new Measurement<long>(value(cache.Value), new KeyValuePair<string, object?>("cache", cache.Key)));
}

public static class CachesModule
{
    /// <summary>Adds <see cref="Caches"/> by the section <c>caches</c>. May be called by every module.</summary>
    public static IServiceCollection AddCaches(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(Caches)))
            return services;
        services.AddOptions<CacheOptions>().Configure(options => options.Read(configuration)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CacheOptions>, CacheOptionsValidator>());
        services.AddSingleton(provider => new Caches(provider.GetRequiredService<IOptions<CacheOptions>>().Value));
        return services;
    }
}
