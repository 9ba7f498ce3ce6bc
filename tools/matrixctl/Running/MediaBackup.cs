using System.Globalization;
using Amazon.Runtime;
using Matrix.LocalStack;
using Matrix.Storage;
using Matrix.Storage.Media;
using Npgsql;

namespace Matrix.Ctl.Running;

/// <summary>What a command has done with media.</summary>
/// <param name="Total">How many contents, of media and of thumbnails, the database refers to.</param>
/// <param name="LeftInBucket">Those that were not asked for, because the bucket was left out, and are not in the backup.</param>
/// <param name="Lost">What no store has, or what is damaged where it lies; the first thousand.</param>
/// <param name="LostCount">How many these are.</param>
sealed record MediaReport(long Total, long Copied, long CopiedBytes, long AlreadyThere, long LeftInBucket, long LeftInBucketBytes, long LostCount, IReadOnlyList<LostContent> Lost);

/// <param name="Fault"><c>missing</c> or <c>damaged</c>.</param>
/// <param name="Media">Whose bytes they are, or the bytes of whose thumbnail.</param>
sealed record LostContent(string Hash, string Fault, IReadOnlyList<string> Media);

/// <summary>The media of a backup: a list of all that the database referred to at its moment, and a store of their bytes, like the one on disk that services use.</summary>
sealed class MediaBackup(string folder)
{
    const int MostNamed = 1000;
    static readonly TimeSpan Abandoned = TimeSpan.FromDays(1), Pause = TimeSpan.FromMilliseconds(200);

    readonly string list = Path.Combine(folder, "media.list");
    readonly DiskContentStore store = new(Path.Combine(folder, "media"));

    /// <summary>Writes down what the database refers to, as this connection's transaction sees it.</summary>
    public async Task List(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var file = new StreamWriter(list + ".new");
        using var rows = await connection.BeginTextExportAsync(
            """
            COPY (SELECT encode(content_hash, 'hex') || ' ' || size FROM media_contents c
                WHERE EXISTS (SELECT FROM media WHERE content_hash = c.content_hash) OR EXISTS (SELECT FROM media_thumbnails WHERE content_hash = c.content_hash)) TO STDOUT
            """, ct);
        while (await rows.ReadLineAsync(ct) is { } row)
            await file.WriteLineAsync(row.AsMemory(), ct);
    }

    /// <summary>Copies what is not in the backup yet.</summary>
    /// <param name="withBucket">False: what lies on disk alone.</param>
    public async Task<MediaReport> Take(MediaStoreOptions options, bool withBucket, NpgsqlDataSource db, Action<BackupProgress> progress, CancellationToken ct)
    {
        using var stores = new ContentStores(options, TimeProvider.System);
        IReadOnlyList<IContentStore> from = [.. stores.All.Where(one => withBucket || one is not S3ContentStore)];
        store.DeleteAbandoned(TimeProvider.System.GetUtcNow() - Abandoned);
        var copy = new ContentCopy(from, store);
        await Run(copy, from, list + ".new", progress, ct);
        File.Move(list + ".new", list, overwrite: true);
        var left = from.Count < stores.All.Count ? copy.Missing : [];
        var lost = await Name(copy, left.Count > 0 ? copy.Damaged : [.. copy.Missing, .. copy.Damaged], db, ct);
        return Report(copy, left, [.. lost.Where(content => content.Media.Count > 0)]); // the others were deleted since the list was written
    }

    /// <summary>Puts into the first of the configured stores what it lacks.</summary>
    /// <returns>What has been done; <see cref="Name"/> finds out whose bytes are lost, once there is a database.</returns>
    public async Task<ContentCopy> Restore(MediaStoreOptions options, Action<BackupProgress> progress, CancellationToken ct)
    {
        using var stores = new ContentStores(options, TimeProvider.System);
        var copy = new ContentCopy([store], stores.Primary);
        if (!File.Exists(list)) await ListStore(ct);
        await Run(copy, [stores.Primary], list, progress, ct);
        return copy;
    }

    public static async Task<MediaReport> Report(ContentCopy copy, NpgsqlDataSource? db, CancellationToken ct) =>
        Report(copy, [], await Name(copy, [.. copy.Missing, .. copy.Damaged], db, ct));

    static MediaReport Report(ContentCopy copy, IReadOnlyCollection<NamedContent> left, IReadOnlyList<LostContent> lost)
    {
        var (at, unlisted) = (copy.Progress, Math.Max(0, copy.Missing.Count + copy.Damaged.Count - left.Count - MostNamed));
        return new(at.Total, at.Copied, at.Bytes, at.AlreadyThere, left.Count, left.Sum(content => content.Size), lost.Count + unlisted, lost);
    }

    /// <param name="db">Null: there is none yet, and only the hashes are known.</param>
    static async Task<IReadOnlyList<LostContent>> Name(ContentCopy copy, IReadOnlyCollection<NamedContent> contents, NpgsqlDataSource? db, CancellationToken ct)
    {
        var damaged = copy.Damaged.Select(content => Convert.ToHexStringLower(content.Hash)).ToHashSet();
        var lost = new List<LostContent>();
        foreach (var (hash, _) in contents.Take(MostNamed))
        {
            var name = Convert.ToHexStringLower(hash);
            lost.Add(new(name, damaged.Contains(name) ? "damaged" : "missing", db is null ? [] : await db.List<string>(
                """
                SELECT 'mxc://' || origin || '/' || media_id FROM media WHERE content_hash = @hash
                UNION SELECT 'mxc://' || origin || '/' || media_id FROM media_thumbnails t JOIN media m ON m.content_hash = t.source_hash WHERE t.content_hash = @hash
                ORDER BY 1 LIMIT 10
                """, new { hash }, ct)));
        }
        return lost;
    }

    // of a backup that was taken before there were lists
    async Task ListStore(CancellationToken ct)
    {
        await using var file = new StreamWriter(list + ".new");
        await foreach (var hash in store.List(ct))
            await file.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(hash)} {new FileInfo(store.FindFile(hash)!).Length}"));
        await file.DisposeAsync();
        File.Move(list + ".new", list, overwrite: true);
    }

    static async Task Run(ContentCopy copy, IEnumerable<IContentStore> asked, string list, Action<BackupProgress> progress, CancellationToken ct)
    {
        try
        {
            // a bucket that is not there looks like one that has nothing
            foreach (var bucket in asked.OfType<S3ContentStore>()) await bucket.Ask(ct);
            var work = copy.Run(File.ReadLines(list).Select(Parse), File.ReadLines(list).LongCount(), ct);
            while (!work.IsCompleted)
            {
                await work.WaitAsync(Pause, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                progress(BackupProgress.Media(copy.Progress));
            }
            await work;
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException)
        {
            throw new StackException($"Media cannot be copied: {e.Message} What has been copied is not copied again by the next run.");
        }
    }

    static NamedContent Parse(string line) => new(Convert.FromHexString(line.AsSpan(0, 64)), long.Parse(line.AsSpan(65), CultureInfo.InvariantCulture));
}

/// <summary>How far a part of a long work is, of 1; 0: nobody knows.</summary>
readonly record struct BackupProgress(string Part, double Done, string Text)
{
    public static BackupProgress Media(CopyProgress at) => new("media", at.Total == 0 ? 1 : (double)at.Done / at.Total,
        string.Create(CultureInfo.InvariantCulture, $"media: {at.Done} of {at.Total}, {at.Bytes / 1048576.0:0.0} MiB copied"));
}
