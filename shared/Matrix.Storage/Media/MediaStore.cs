using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Media;

/// <summary>What is known of a piece of media; its bytes lie in the <see cref="ContentStores"/>, under <see cref="ContentHash"/> (SHA-256).</summary>
/// <param name="Authenticated">It may not be had without an access token.</param>
/// <param name="QuarantinedBy">It is not served.</param>
/// <param name="IsUnread">Nobody has read it, as far as that was written down.</param>
public sealed record MediaRow(
    byte[] ContentHash, long Size, string ContentType, string? FileName, bool Authenticated, string? QuarantinedBy, DateTimeOffset LastAccess, bool IsUnread);

/// <summary>Media that comes to be.</summary>
/// <param name="Uploader">Null: fetched from another server.</param>
public sealed record NewMedia(byte[] ContentHash, long Size, string ContentType, string? FileName, UserId? Uploader, bool Authenticated);

/// <summary>What became of an upload to a media id that was given out before.</summary>
public enum PendingUpload
{
    /// <summary>Nobody was given this id, or it has expired.</summary>
    Unknown,

    /// <summary>Somebody else was given this id.</summary>
    Foreign,

    /// <summary>The bytes have come already.</summary>
    Complete,

    /// <summary>The bytes may come.</summary>
    Open,
}

/// <summary>The rows of media, by mxc URI.</summary>
public sealed class MediaStore(NpgsqlDataSource db)
{
    // what is stored again under a hash that is quarantined is born quarantined
    const string InsertMedia =
        """
        INSERT INTO media (origin, media_id, content_hash, size, content_type, file_name, uploader, authenticated, created_at, last_access, quarantined_by)
        SELECT @origin, @mediaId, @ContentHash, @Size, @ContentType, @FileName, @uploader, @Authenticated, @now, @now,
            (SELECT quarantined_by FROM media_quarantined_hashes WHERE content_hash = @ContentHash)
        """;

    const string Select =
        "SELECT content_hash, size, content_type, file_name, authenticated, quarantined_by, last_access, last_access = created_at AS is_unread FROM media";

    public Task<MediaRow?> Find(ServerName origin, string mediaId, CancellationToken ct) => db.FindOne<MediaRow>(
        $"{Select} WHERE origin = @origin AND media_id = @mediaId", new { origin = origin.ToString(), mediaId }, ct);

    /// <summary><see cref="Find"/>, together with something else.</summary>
    internal static void AddFind(NpgsqlBatch batch, ServerName origin, string mediaId) =>
        batch.Add($"{Select} WHERE origin = $1 AND media_id = $2", origin, mediaId);

    /// <summary>
    /// The bytes must be in the media store for good before their row is: a row promises a download. Nothing happens if the media is there already:
    /// two replicas may have fetched it.
    /// </summary>
    /// <exception cref="PostgresException">A foreign key: the bytes were deleted, because for too long nothing referred to them.</exception>
    public Task Insert(MxcUri uri, NewMedia media, DateTimeOffset now, CancellationToken ct) =>
        db.Execute($"{InsertMedia} ON CONFLICT DO NOTHING", Arguments(uri, media, now), ct);

    /// <summary>Gives out a media id, unless the user has too many that wait for their bytes.</summary>
    /// <returns>Null when given, else when the first of those expires.</returns>
    public Task<DateTimeOffset?> InsertPending(string mediaId, UserId uploader, DateTimeOffset now, DateTimeOffset expiresAt, int limit, CancellationToken ct) =>
        db.FindOne<DateTimeOffset?>(
            """
            WITH mine AS (SELECT min(expires_at) AS soonest, count(*) AS number FROM media_pending WHERE uploader = @uploader AND expires_at > @now),
            given AS (
                INSERT INTO media_pending (media_id, uploader, expires_at) SELECT @mediaId, @uploader, @expiresAt FROM mine WHERE number < @limit)
            SELECT soonest FROM mine WHERE number >= @limit
            """, new { mediaId, uploader = uploader.ToString(), now, expiresAt, limit }, ct);

    /// <summary>May this user upload to this id?</summary>
    public async Task<PendingUpload> FindPending(ServerName own, string mediaId, UserId uploader, DateTimeOffset now, CancellationToken ct)
    {
        var found = await db.FindOne<PendingRow>(
            """
            SELECT (SELECT uploader FROM media_pending WHERE media_id = @mediaId AND expires_at > @now) AS pending_for,
                (SELECT coalesce(uploader, '') FROM media WHERE origin = @origin AND media_id = @mediaId) AS uploaded_by
            """, new { mediaId, origin = own.ToString(), now }, ct);
        return found switch
        {
            { UploadedBy: not null } => PendingUpload.Complete,
            { PendingFor: null } or null => PendingUpload.Unknown,
            { PendingFor: var whose } => whose == uploader.ToString() ? PendingUpload.Open : PendingUpload.Foreign,
        };
    }

    /// <summary>Are the bytes of this media still to come?</summary>
    public async Task<bool> IsPending(string mediaId, DateTimeOffset now, CancellationToken ct) =>
        await db.FindOne<int?>("SELECT 1 FROM media_pending WHERE media_id = @mediaId AND expires_at > @now", new { mediaId, now }, ct) != null;

    /// <summary>The bytes of an id that was given out have come. False when it is no longer waited for: another upload was faster.</summary>
    public async Task<bool> InsertFromPending(MxcUri uri, NewMedia media, DateTimeOffset now, CancellationToken ct) => await db.Execute(
        $"""
        WITH pending AS (DELETE FROM media_pending WHERE media_id = @mediaId AND uploader = @uploader RETURNING 1)
        {InsertMedia} FROM pending
        """, Arguments(uri, media, now), ct) == 1;

    /// <summary>In small batches, and never twice within an hour for the same media: being read is not worth a write.</summary>
    public Task Touch(IReadOnlyCollection<(ServerName Origin, string MediaId)> read, DateTimeOffset now, CancellationToken ct) => db.Execute(
        """
        UPDATE media SET last_access = @now FROM unnest(@origins, @mediaIds) AS read (origin, media_id)
        WHERE media.origin = read.origin AND media.media_id = read.media_id AND media.last_access < @now
        """, new { now, origins = read.Select(media => media.Origin.ToString()).ToArray(), mediaIds = read.Select(media => media.MediaId).ToArray() }, ct);

    static object Arguments(MxcUri uri, NewMedia media, DateTimeOffset now) => new
    {
        origin = uri.Server.ToString(),
        mediaId = uri.MediaId,
        media.ContentHash,
        media.Size,
        media.ContentType,
        media.FileName,
        uploader = media.Uploader?.ToString(),
        media.Authenticated,
        now,
    };

    sealed record PendingRow(string? PendingFor, string? UploadedBy);
}
