using System.Globalization;
using System.Text;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync.Filters;

/// <summary>Finds the filter that a request means. Stored filters never change, so a parsed one is kept.</summary>
sealed class FilterCache(FilterStore store, Caches caches)
{
    const int Longest = 8192;

    readonly record struct Parsed(FilterDefinition Definition, int Length);

    // a parsed filter has some five times the bytes of its text
    readonly BoundedCache<(UserId UserId, string Filter), Parsed> parsed = caches.Create<(UserId UserId, string Filter), Parsed>(
        "filters", 4 << 20, (key, filter) => 1000 + Caches.WeightOf(key.Filter) + 5 * filter.Length);

    /// <param name="filter">An id, or a filter as JSON, or null for none.</param>
    public async ValueTask<FilterDefinition> Get(UserId userId, string? filter, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(filter))
            return FilterDefinition.Default;
        if (parsed.TryGet((userId, filter), out var found))
            return found.Definition;
        var json = filter[0] == '{' ? filter : await Find(userId, filter, ct) ?? throw MatrixException.InvalidParam("There is no such filter.");
        var result = FilterDefinition.Parse(Encoding.UTF8.GetBytes(json));
        if (filter.Length < Longest)
            parsed.Set((userId, filter), new Parsed(result, json.Length));
        return result;
    }

    async Task<string?> Find(UserId userId, string filterId, CancellationToken ct) =>
        long.TryParse(filterId, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? await store.Find(userId, id, ct) : null;
}
