using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Matrix.Storage.Caching;

/// <summary>How large caches are: the section <c>caches</c>. A factor of 1 is the size that each has by default.</summary>
public sealed class CacheOptions
{
    const string Section = "caches", Variable = "SYNAPSE_CACHE_FACTOR";

    readonly List<string> mistakes = [];

    /// <summary>
    /// The size of all caches, as a multiple of what each has by default; from 0 to 1000. Where it is left out, the environment's
    /// <c>SYNAPSE_CACHE_FACTOR</c>.
    /// </summary>
    public double GlobalFactor { get; private set; } = 1;

    /// <summary>The same for single caches, by their names: it takes the place of the global factor.</summary>
    public Dictionary<string, double> PerCacheFactors { get; } = [];

    internal IReadOnlyList<string> Mistakes => mistakes;

    public double FactorOf(string cache) => PerCacheFactors.TryGetValue(cache, out var factor) ? factor : GlobalFactor;

    internal void Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        var global = section["global_factor"] is { Length: > 0 } configured ? configured : Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(global))
            GlobalFactor = Parse($"{Section}.global_factor", global);
        foreach (var factor in section.GetSection("per_cache_factors").GetChildren())
        {
            if (factor.Value is { Length: > 0 } text)
                PerCacheFactors[factor.Key] = Parse($"{Section}.per_cache_factors.{factor.Key}", text);
        }
    }

    double Parse(string key, string text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var factor) && factor is >= 0 and <= 1000)
            return factor;
        mistakes.Add($"{key}: '{text}' is not a number from 0 to 1000");
        return 1;
    }
}

sealed class CacheOptionsValidator : IValidateOptions<CacheOptions>
{
    public ValidateOptionsResult Validate(string? name, CacheOptions options) =>
        options.Mistakes.Count > 0 ? ValidateOptionsResult.Fail(options.Mistakes) : ValidateOptionsResult.Success;
}
