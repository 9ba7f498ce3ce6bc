using System.Globalization;
using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync.Filters;

/// <summary>Finds the filter that a request means. Stored filters never change, so a compiled one is kept.</summary>
sealed class FilterCache(FilterStore store)
{
    readonly BoundedCache<(UserId UserId, string Filter), SyncFilter> compiled = new(4096, _ => 1);

    /// <param name="filter">An id, or a filter as JSON, or null for none.</param>
    public async ValueTask<SyncFilter> Get(UserId userId, string? filter, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(filter))
            return SyncFilter.Everything;
        if (compiled.TryGet((userId, filter), out var found))
            return found;
        var json = filter[0] == '{'
            ? SyncFilter.ParseText(filter)
            : JsonElement.Parse(await Find(userId, filter, ct) ?? throw MatrixException.InvalidParam("There is no such filter."));
        var parsed = SyncFilter.Parse(json);
        if (filter.Length < 8192)
            compiled.Set((userId, filter), parsed);
        return parsed;
    }

    async Task<string?> Find(UserId userId, string filterId, CancellationToken ct) =>
        long.TryParse(filterId, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? await store.Find(userId, id, ct) : null;
}
