namespace Matrix.Storage.Media;

/// <summary>How far a migration is.</summary>
/// <param name="Total">How many there were in the other stores when it began; null: they are still being counted.</param>
public readonly record struct MigrationProgress(long Moved, long AlreadyThere, long Bytes, long? Total)
{
    public long Done => Moved + AlreadyThere;
}

/// <summary>
/// Moves what lies in the other stores into the first. It can be stopped and started again at any moment, and the server runs on: what was moved is
/// found in the first store, what was not in the others.
/// </summary>
public sealed class ContentMigration(ContentStores stores)
{
    const int AtOnce = 4;

    long _moved, _alreadyThere, _bytes, _total = -1;

    public MigrationProgress Progress => new(Volatile.Read(ref _moved), Volatile.Read(ref _alreadyThere), Volatile.Read(ref _bytes), Volatile.Read(ref _total) is >= 0 and var total ? total : null);

    /// <param name="keepOld">Copies only.</param>
    public async Task Run(bool keepOld, CancellationToken ct)
    {
        var total = 0L;
        foreach (var old in stores.All.Skip(1))
        {
            await foreach (var _ in old.List(ct))
                total++;
        }
        Volatile.Write(ref _total, total);
        var limits = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct };
        foreach (var old in stores.All.Skip(1))
            await Parallel.ForEachAsync(old.List(ct), limits, async (hash, token) => await Move(old, hash, keepOld, token));
    }

    async Task Move(IContentStore old, byte[] hash, bool keepOld, CancellationToken ct)
    {
        if (await stores.Primary.Has(hash, ct))
        {
            Interlocked.Increment(ref _alreadyThere);
        }
        else if (await old.Open(hash, 0, null, ct) is { } content)
        {
            await using (content)
            await using (var incoming = await stores.Primary.Receive(content, long.MaxValue, ct))
            {
                if (!incoming.Hash.AsSpan().SequenceEqual(hash))
                    throw new InvalidDataException($"{old.Name} has damaged bytes at {Convert.ToHexStringLower(hash)}.");
                await incoming.Keep(ct);
                Interlocked.Add(ref _bytes, incoming.Size);
            }
            Interlocked.Increment(ref _moved);
            // the server may have deleted it meanwhile, from where it was then
            if (!await old.Has(hash, ct))
                await stores.Primary.Delete(hash, ct);
        }
        if (!keepOld)
            await old.Delete(hash, ct);
    }
}
