using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Lifecycle;

/// <summary>
/// Looks once through the events that were stored before <see cref="MediaReferences"/> began to follow the log: what they name counts too, and media of that time
/// need not be left alone any more.
/// </summary>
public sealed class OldMediaReferences(MediaReferenceStore store, MediaRetentionOptions retention, TimeProvider time) : BackgroundJob
{
    public override string Name => "media-references";

    public override bool IsWanted => retention is { RedactedMediaLifetime: not null } or { UnreferencedMediaLifetime: not null };

    public override async Task<long> Goal(DatabaseTransaction tx, CancellationToken ct)
    {
        await store.Begin(time.GetUtcNow(), ct); // committed before the goal is read: an event that is newer than both is in the log that is followed
        return await MediaReferenceStore.NewestEvent(tx, ct);
    }

    public override async Task<JobBatch> Next(DatabaseTransaction tx, long after, long goal, int most, CancellationToken ct)
    {
        var (upTo, count) = await MediaReferenceStore.FindPageOfEvents(tx, after, goal, most, ct);
        if (upTo is null)
            return new(goal, 0);
        var events = await MediaReferenceStore.ListEvents(tx, after, upTo.Value, ct);
        await MediaReferenceStore.Insert(tx, [.. events.SelectMany(e => MediaReferences.Find(e.Json).Select(uri => (e, uri)))], time.GetUtcNow(), ct);
        return new(upTo.Value, count);
    }

    public override Task End(DatabaseTransaction tx, CancellationToken ct) => MediaReferenceStore.KnowsAll(tx, Name, ct);
}
