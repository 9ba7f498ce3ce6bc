using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Receipts;

/// <summary>Receipts by the position they were written at: what stands there never changes, it is only superseded.</summary>
sealed class ReceiptCache(ReceiptStore store, Caches caches) : IDisposable
{
    readonly BoundedCache<long, Receipt?> cache = caches.Create<long, Receipt?>(
        "receipts", 16 << 20, (_, receipt) => receipt is null ? 0 : 80 + Caches.WeightOf(receipt.UserId) + Caches.WeightOf(receipt.EventId));
    readonly SemaphoreSlim fetching = new(1);

    public void Dispose() => fetching.Dispose();

    public async ValueTask<IReadOnlyList<Receipt>> Get(IReadOnlyCollection<long> positions, CancellationToken ct)
    {
        var found = new List<Receipt>();
        if (Take(positions, found).Count == 0)
            return found;
        // All who were woken by a receipt ask for it at once: one fetches it.
        await fetching.WaitAsync(ct);
        try
        {
            found.Clear();
            var missing = Take(positions, found);
            if (missing.Count == 0)
                return found;
            var fetched = (await store.ListAt([.. missing], ct)).ToDictionary(receipt => receipt.Position);
            foreach (var position in missing)
                cache.Set(position, fetched.GetValueOrDefault(position));
            found.AddRange(fetched.Values);
            return found;
        }
        finally
        {
            fetching.Release();
        }
    }

    List<long> Take(IReadOnlyCollection<long> positions, List<Receipt> found)
    {
        var missing = new List<long>();
        foreach (var position in positions)
        {
            if (!cache.TryGet(position, out var receipt))
                missing.Add(position);
            else if (receipt is not null)
                found.Add(receipt);
        }
        return missing;
    }
}
