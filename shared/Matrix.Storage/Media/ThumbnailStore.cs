using Npgsql;

namespace Matrix.Storage.Media;

/// <summary>Which thumbnail of a picture.</summary>
/// <param name="Method"><c>crop</c> or <c>scale</c>.</param>
public readonly record struct ThumbnailKey(int Width, int Height, string Method, bool Animated);

/// <summary>A thumbnail that was made: which stored content it is, and that content's size in bytes.</summary>
public sealed record ThumbnailRow(byte[] ContentHash, long Size, string ContentType);

/// <summary>The thumbnails that were made, by the hash of the picture.</summary>
public sealed class ThumbnailStore(NpgsqlDataSource db)
{
    public Task<ThumbnailRow?> Find(byte[] source, ThumbnailKey key, CancellationToken ct) => db.FindOne<ThumbnailRow>(
        """
        SELECT content_hash, size, content_type FROM media_thumbnails
        WHERE source_hash = @source AND width = @Width AND height = @Height AND method = @Method AND animated = @Animated
        """, new { source, key.Width, key.Height, key.Method, key.Animated }, ct);

    /// <summary>Its bytes must be in their place. Nothing happens if it is there already.</summary>
    public Task Insert(byte[] source, ThumbnailKey key, ThumbnailRow made, CancellationToken ct) => db.Execute(
        """
        INSERT INTO media_thumbnails (source_hash, width, height, method, animated, content_hash, size, content_type)
        VALUES (@source, @Width, @Height, @Method, @Animated, @ContentHash, @Size, @ContentType) ON CONFLICT DO NOTHING
        """, new { source, key.Width, key.Height, key.Method, key.Animated, made.ContentHash, made.Size, made.ContentType }, ct);
}
