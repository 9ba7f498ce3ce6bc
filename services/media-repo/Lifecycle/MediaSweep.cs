using System.ComponentModel.DataAnnotations;
using Matrix.Replication;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Lifecycle;

/// <summary>The section <c>media_retention</c>: media that nobody has read for so long is deleted; what is not set is kept for good.</summary>
public sealed class MediaRetentionOptions
{
    /// <summary>How long media of this server's users stays that nobody reads. It cannot be had again. Left out: for good.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "36500.00:00:00")] public TimeSpan? LocalMediaLifetime { get; set; }

    /// <summary>The same of what was fetched from other servers: it can be fetched again.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "36500.00:00:00")] public TimeSpan? RemoteMediaLifetime { get; set; }

    /// <summary>How long media stays after all events that name it were redacted. Left out: for good.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")] public TimeSpan? RedactedMediaLifetime { get; set; }

    /// <summary>
    /// How long media of this server's users stays that no event names and nobody reads. What encrypted events name cannot be seen, so this should be
    /// longer than anybody is away. Left out: for good.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "36500.00:00:00")] public TimeSpan? UnreferencedMediaLifetime { get; set; }
}

/// <summary>One replica deletes what is over: bytes that are nobody's, media ids that were never used, media beyond its time. In small batches.</summary>
sealed class MediaSweep(
    Leases leases, MediaDeletion deletion, MediaReferences references, MediaReferenceStore referenceStore, MediaAdminStore store, PreviewStore previews, MediaRetentionOptions retention, ContentStores stores,
    TimeProvider time) : BackgroundService
{
    static readonly TimeSpan s_every = TimeSpan.FromMinutes(1), s_takeoverAfter = TimeSpan.FromMinutes(2), s_abandoned = TimeSpan.FromDays(1);

    /// <summary>Longer than any client shows a preview without asking anew.</summary>
    static readonly TimeSpan s_previewImages = TimeSpan.FromDays(30);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => leases.Hold("media-sweep", s_takeoverAfter, (_, ct) => Run(ct), stoppingToken);

    async Task Run(CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(s_every, time, ct);
            await Sweep(ct);
        }
    }

    async Task Sweep(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await store.DeleteExpired(now, ct);
        if (retention.RemoteMediaLifetime is { } remote)
            await deletion.DeleteUnread(local: false, now - remote, ct);
        if (retention.LocalMediaLifetime is { } local)
            await deletion.DeleteUnread(local: true, now - local, ct);
        if (retention is { RedactedMediaLifetime: not null } or { UnreferencedMediaLifetime: not null })
            await SweepReferences(now, ct);
        await previews.DeleteExpired(now, ct);
        await deletion.DeletePreviewImages(now - s_previewImages, ct);
        await deletion.DeleteOrphans(ct);
        foreach (var disk in stores.All.OfType<DiskContentStore>())
            disk.DeleteAbandoned(now - s_abandoned);
    }

    async Task SweepReferences(DateTimeOffset now, CancellationToken ct)
    {
        var since = await references.Follow(ct);
        if (retention.RedactedMediaLifetime is { } redacted)
        {
            await deletion.DeleteRedacted(now - redacted, since, ct);
            await referenceStore.ForgetRedacted(now - redacted, ct);
        }
        if (retention.UnreferencedMediaLifetime is { } unreferenced)
            await deletion.DeleteUnreferenced(now - unreferenced, since, ct);
    }
}
