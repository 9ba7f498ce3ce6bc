using Npgsql;

namespace Matrix.Storage.Media;

/// <summary>
/// Which bytes the <see cref="ContentStores"/> have. A claim comes before the bytes and says that somebody will refer to them; what nobody refers to
/// is an orphan, and its bytes are deleted while its row is locked, so that the next claim waits and brings them again.
/// </summary>
public sealed class MediaContentStore(NpgsqlDataSource db)
{
    /// <summary>How long after its claim a content may be without anything that refers to it.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Before the bytes are put in their place. Each content is looked at once after that: the claimant may die. (The content's row is locked before the
    /// orphan's, as <see cref="DeleteOrphans"/> does.)
    /// </summary>
    public Task Claim(byte[] hash, long size, DateTimeOffset now, CancellationToken ct) => db.Execute(
        """
        WITH claimed AS (
            INSERT INTO media_contents (content_hash, size, claimed_at) VALUES (@hash, @size, @now)
            ON CONFLICT (content_hash) DO UPDATE SET claimed_at = excluded.claimed_at
            RETURNING content_hash)
        INSERT INTO media_orphans (content_hash, check_after) SELECT content_hash, @checkAfter FROM claimed
        ON CONFLICT (content_hash) DO UPDATE SET check_after = excluded.check_after
        """, new { hash, size, now, checkAfter = now + Grace }, ct);

    /// <summary>Deletes those of these contents that nothing refers to and nobody is about to, bytes and rows; and takes the others from the list.</summary>
    /// <returns>How many were deleted.</returns>
    public async Task<int> DeleteOrphans(IReadOnlyList<byte[]> hashes, Func<byte[], CancellationToken, Task> deleteBytes, DateTimeOffset now, CancellationToken ct)
    {
        var deleted = 0;
        foreach (var hash in hashes)
        {
            await using var tx = await db.BeginTransaction(ct);
            // locked first: what is asked after it sees all that was referred to meanwhile
            await tx.Execute("SELECT FROM media_contents WHERE content_hash = @hash FOR UPDATE", new { hash }, ct);
            await tx.Execute(
                """
                WITH orphaned AS (
                    DELETE FROM media_thumbnails WHERE source_hash = @hash AND NOT EXISTS (SELECT FROM media WHERE content_hash = @hash)
                    RETURNING content_hash)
                INSERT INTO media_orphans (content_hash, check_after) SELECT DISTINCT content_hash, @now FROM orphaned ON CONFLICT DO NOTHING
                """, new { hash, now }, ct);
            var gone = await tx.Execute(
                """
                DELETE FROM media_contents WHERE content_hash = @hash AND claimed_at < @before
                    AND NOT EXISTS (SELECT FROM media WHERE content_hash = @hash)
                    AND NOT EXISTS (SELECT FROM media_thumbnails WHERE content_hash = @hash)
                """, new { hash, before = now - Grace }, ct);
            if (gone == 1)
                await deleteBytes(hash, ct);
            // not one that was claimed a moment ago: it is looked at again when its time has come
            await tx.Execute("DELETE FROM media_orphans WHERE content_hash = @hash AND check_after <= @now", new { hash, now }, ct);
            await tx.CommitAsync(ct);
            deleted += gone;
        }
        return deleted;
    }

    /// <summary>The longest due first (index on the time).</summary>
    public Task<IReadOnlyList<byte[]>> ListOrphans(DateTimeOffset now, int limit, CancellationToken ct) => db.List<byte[]>(
        "SELECT content_hash FROM media_orphans WHERE check_after <= @now ORDER BY check_after LIMIT @limit", new { now, limit }, ct);
}
