using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Media;

/// <summary>What is known of a piece of media; its bytes lie elsewhere, under <see cref="ContentHash"/> (SHA-256).</summary>
/// <param name="Authenticated">It may not be had without an access token.</param>
public sealed record MediaRow(byte[] ContentHash, long Size, string ContentType, string? FileName, bool Authenticated);

/// <summary>The rows of media, by mxc URI.</summary>
public sealed class MediaStore(NpgsqlDataSource db)
{
    public Task<MediaRow?> Find(ServerName origin, string mediaId, CancellationToken ct) => db.FindOne<MediaRow>(
        """
        SELECT content_hash, size, content_type, file_name, authenticated FROM media
        WHERE origin = @origin AND media_id = @mediaId
        """, new { origin = origin.ToString(), mediaId }, ct);

    /// <summary>The bytes must be in the media store for good before their row is: a row promises a download.</summary>
    public Task Insert(MxcUri uri, UserId uploader, MediaRow media, DateTimeOffset now, CancellationToken ct) => db.Execute(
        """
        INSERT INTO media (origin, media_id, content_hash, size, content_type, file_name, uploader, authenticated, created_at)
        VALUES (@origin, @mediaId, @ContentHash, @Size, @ContentType, @FileName, @uploader, @Authenticated, @now)
        """,
        new
        {
            origin = uri.Server.ToString(),
            mediaId = uri.MediaId,
            media.ContentHash,
            media.Size,
            media.ContentType,
            media.FileName,
            uploader = uploader.ToString(),
            media.Authenticated,
            now,
        },
        ct);
}
