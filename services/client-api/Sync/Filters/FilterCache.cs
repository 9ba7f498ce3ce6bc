using System.Globalization;
using System.Text;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync.Filters;

/// <summary>Finds the filter that a request means. Stored filters never change, so a parsed one is kept.</summary>
sealed class FilterCache(FilterStore store)
{
    const int Longest = 8192;

    readonly BoundedCache<(UserId UserId, string Filter), FilterDefinition> parsed = new(4096, _ => 1);

    /// <param name="filter">An id, or a filter as JSON, or null for none.</param>
    public async ValueTask<FilterDefinition> Get(UserId userId, string? filter, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(filter))
            return FilterDefinition.Default;
        if (parsed.TryGet((userId, filter), out var found))
            return found;
        var json = filter[0] == '{' ? filter : await Find(userId, filter, ct) ?? throw MatrixException.InvalidParam("There is no such filter.");
        var result = FilterDefinition.Parse(Encoding.UTF8.GetBytes(json));
        if (filter.Length < Longest)
            parsed.Set((userId, filter), result);
        return result;
    }

    async Task<string?> Find(UserId userId, string filterId, CancellationToken ct) =>
        long.TryParse(filterId, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? await store.Find(userId, id, ct) : null;
}
