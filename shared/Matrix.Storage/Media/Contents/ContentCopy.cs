using System.Collections.Concurrent;

namespace Matrix.Storage.Media;

/// <summary>A content by its SHA-256, and how large it is.</summary>
public readonly record struct NamedContent(byte[] Hash, long Size);

/// <summary>How far a copy is.</summary>
public readonly record struct CopyProgress(long Copied, long Bytes, long AlreadyThere, long Lost, long Total)
{
    public long Done => Copied + AlreadyThere + Lost;
}

/// <summary>
/// Copies contents that are named beforehand into one store from others, which are asked in their order. Bytes are compared with their name on the way, and what is nowhere
/// whole is told. It may be stopped and run again: what has come is not fetched twice.
/// </summary>
public sealed class ContentCopy(IReadOnlyList<IContentStore> from, IContentStore to)
{
    const int AtOnce = 16, Tries = 3;

    readonly ConcurrentQueue<NamedContent> _missing = new(), _damaged = new();
    long _copied, _bytes, _alreadyThere, _total;

    /// <summary>No store has them.</summary>
    public IReadOnlyCollection<NamedContent> Missing => _missing;

    /// <summary>A store has other bytes under their names, and none has the right ones.</summary>
    public IReadOnlyCollection<NamedContent> Damaged => _damaged;

    public CopyProgress Progress => new(Volatile.Read(ref _copied), Volatile.Read(ref _bytes), Volatile.Read(ref _alreadyThere), _missing.Count + _damaged.Count, Volatile.Read(ref _total));

    /// <param name="total">How many they are.</param>
    public Task Run(IEnumerable<NamedContent> contents, long total, CancellationToken ct)
    {
        Volatile.Write(ref _total, total);
        return Parallel.ForEachAsync(contents, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct }, async (content, token) => await Copy(content, token));
    }

    async Task Copy(NamedContent content, CancellationToken ct)
    {
        if (await IsThere(content, ct))
        {
            Interlocked.Increment(ref _alreadyThere);
            return;
        }
        var damaged = false;
        foreach (var store in from)
        {
            if (await Fetch(store, content.Hash, ct) is not { } whole)
                continue;
            if (whole)
                return;
            damaged = true;
        }
        (damaged ? _damaged : _missing).Enqueue(content);
    }

    // a file that somebody cut short is as good as none
    async Task<bool> IsThere(NamedContent content, CancellationToken ct) =>
        to.FindFile(content.Hash) is { } path ? new FileInfo(path).Length == content.Size : await to.Has(content.Hash, ct);

    /// <returns>Null: it is not there. False: something else is.</returns>
    async Task<bool?> Fetch(IContentStore store, byte[] hash, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var content = await store.Open(hash, 0, null, ct);
                if (content is null)
                    return null;
                await using var incoming = await to.Receive(content, long.MaxValue, ct);
                if (!incoming.Hash.AsSpan().SequenceEqual(hash))
                    return false;
                await incoming.Keep(ct);
                Interlocked.Add(ref _bytes, incoming.Size);
                Interlocked.Increment(ref _copied);
                return true;
            }
            catch (Exception e) when (attempt < Tries && e is IOException or HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromSeconds(attempt), ct); // the connection broke half-way
            }
        }
    }
}
