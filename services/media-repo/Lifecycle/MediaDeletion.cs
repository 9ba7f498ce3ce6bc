using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Lifecycle;

/// <summary>Deletes media: the rows, and at once the bytes that are nobody's then (those that were stored minutes ago follow later).</summary>
public sealed class MediaDeletion(MediaAdminStore store, MediaContentStore contents, ContentStores stores, ServerSigningKey own, TimeProvider time)
{
    const int AtOnce = 200;

    public Task<IReadOnlyList<string>> Delete(ServerName origin, string mediaId, CancellationToken ct) =>
        All(1, () => store.Delete(origin, mediaId, time.GetUtcNow(), ct), ct);

    public Task<IReadOnlyList<string>> DeleteByUser(UserId user, CancellationToken ct) =>
        All(AtOnce, () => store.DeleteByUser(user, AtOnce, time.GetUtcNow(), ct), ct);

    public Task<IReadOnlyList<string>> DeleteUnread(bool local, DateTimeOffset before, CancellationToken ct) =>
        All(AtOnce, () => store.DeleteUnread(own.ServerName, local, before, AtOnce, time.GetUtcNow(), ct), ct);

    public Task<IReadOnlyList<string>> DeleteLocal(DateTimeOffset before, long largerThan, bool keepProfiles, CancellationToken ct) =>
        All(AtOnce, () => store.DeleteLocal(own.ServerName, before, largerThan, keepProfiles, AtOnce, time.GetUtcNow(), ct), ct);

    public Task<IReadOnlyList<string>> DeletePreviewImages(DateTimeOffset before, CancellationToken ct) =>
        All(AtOnce, () => store.DeletePreviewImages(own.ServerName, before, AtOnce, time.GetUtcNow(), ct), ct);

    public Task<IReadOnlyList<string>> DeleteRedacted(DateTimeOffset before, DateTimeOffset since, CancellationToken ct) =>
        All(AtOnce, () => store.DeleteRedacted(before, since, AtOnce, time.GetUtcNow(), ct), ct);

    public Task<IReadOnlyList<string>> DeleteUnreferenced(DateTimeOffset before, DateTimeOffset since, CancellationToken ct) =>
        All(AtOnce, () => store.DeleteUnreferenced(own.ServerName, before, since, AtOnce, time.GetUtcNow(), ct), ct);

    /// <summary>Deletes the bytes that turned out to be nobody's, thumbnails of deleted pictures among them.</summary>
    public async Task DeleteOrphans(CancellationToken ct)
    {
        IReadOnlyList<byte[]> due;
        do
        {
            due = await contents.ListOrphans(time.GetUtcNow(), AtOnce, ct);
            await contents.DeleteOrphans(due, stores.Delete, time.GetUtcNow(), ct);
        }
        while (due.Count == AtOnce);
    }

    async Task<IReadOnlyList<string>> All(int batch, Func<Task<IReadOnlyList<DeletedMedia>>> next, CancellationToken ct)
    {
        var deleted = new List<string>();
        IReadOnlyList<DeletedMedia> gone;
        do
        {
            gone = await next();
            deleted.AddRange(gone.Select(media => media.MediaId));
            await contents.DeleteOrphans([.. gone.Select(media => media.ContentHash).DistinctBy(Convert.ToHexString)], stores.Delete, time.GetUtcNow(), ct);
        }
        while (batch > 1 && gone.Count == batch);
        return deleted;
    }
}
