namespace Matrix.Storage.Media;

/// <summary>The stores of <c>media_stores</c>: new content goes to the first, the others are still read. So a store can be changed while all goes on.</summary>
public sealed class ContentStores(MediaStoreOptions options, TimeProvider time) : IDisposable
{
    readonly IReadOnlyList<IContentStore> _stores = [.. options.MediaStores.Select(name => Create(name, options, time))];

    public IReadOnlyList<IContentStore> All => _stores;

    /// <summary>Where new content goes.</summary>
    public IContentStore Primary => _stores[0];

    /// <inheritdoc cref="IContentStore.Open"/>
    public async Task<Stream?> Open(byte[] hash, long offset, long? length, CancellationToken ct)
    {
        foreach (var store in _stores)
        {
            if (await store.Open(hash, offset, length, ct) is { } stream)
                return stream;
        }
        return null;
    }

    /// <inheritdoc cref="IContentStore.FindFile"/>
    public string? FindFile(byte[] hash) => _stores.Select(store => store.FindFile(hash)).FirstOrDefault(path => path != null);

    public async Task Delete(byte[] hash, CancellationToken ct)
    {
        foreach (var store in _stores)
            await store.Delete(hash, ct);
    }

    public void Dispose()
    {
        foreach (var store in _stores.OfType<IDisposable>())
            store.Dispose();
    }

    static IContentStore Create(string name, MediaStoreOptions options, TimeProvider time) => name switch
    {
        "disk" => new DiskContentStore(options.MediaStorePath),
        "s3" => new S3ContentStore(options.MediaS3, time),
        _ => throw new ArgumentException($"media_stores: '{name}' is neither disk nor s3.", nameof(name)),
    };
}
