using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Media;

/// <summary>A piece of media as administrators see it.</summary>
public sealed record MediaInfo(
    string Origin, string MediaId, long Size, string ContentType, string? FileName, string? Uploader, bool Authenticated, string? QuarantinedBy, bool Protected,
    DateTimeOffset CreatedAt, DateTimeOffset LastAccess, byte[] ContentHash);

/// <summary>Media whose row is gone. Its bytes may be nobody's now.</summary>
public sealed record DeletedMedia(string MediaId, byte[] ContentHash);

/// <summary>What administrators and retention do with media: quarantine, lists, deletion.</summary>
public sealed class MediaAdminStore(NpgsqlDataSource db)
{
    const string Columns =
        "origin, media_id, size, content_type, file_name, uploader, authenticated, quarantined_by, protected, created_at, last_access, content_hash";

    const string IsNoProfile =
        """
        (NOT EXISTS (SELECT FROM users WHERE avatar_url = 'mxc://' || media.origin || '/' || media.media_id)
            AND NOT EXISTS (SELECT FROM room_summaries WHERE avatar_url = 'mxc://' || media.origin || '/' || media.media_id)
            AND NOT EXISTS (SELECT FROM memberships WHERE avatar_url = 'mxc://' || media.origin || '/' || media.media_id))
        """;

    public Task<MediaInfo?> Find(ServerName origin, string mediaId, CancellationToken ct) => db.FindOne<MediaInfo>(
        $"SELECT {Columns} FROM media WHERE origin = @origin AND media_id = @mediaId", new { origin = origin.ToString(), mediaId }, ct);

    /// <summary>A page of what a user uploaded (index on uploader).</summary>
    /// <param name="order">A column: never from outside.</param>
    public Task<IReadOnlyList<MediaInfo>> ListByUser(UserId user, string order, bool backwards, int from, int limit, CancellationToken ct) => db.List<MediaInfo>(
        $"""
        SELECT {Columns} FROM media WHERE uploader = @user
        ORDER BY {order} {(backwards ? "DESC" : "ASC")} NULLS LAST, media_id OFFSET @from LIMIT @limit
        """, new { user = user.ToString(), from, limit }, ct);

    public Task<long> CountByUser(UserId user, CancellationToken ct) =>
        db.GetOne<long>("SELECT count(*) FROM media WHERE uploader = @user", new { user = user.ToString() }, ct);

    /// <summary>
    /// Quarantines media, all other media with the same bytes, and those bytes for whoever brings them again. What is protected stays.
    /// </summary>
    /// <returns>How many pieces of media are not served any more.</returns>
    public Task<int> Quarantine(IReadOnlyCollection<MxcUri> media, UserId by, CancellationToken ct) => Quarantine(
        "(origin, media_id) IN (SELECT * FROM unnest(@origins, @mediaIds))",
        new { by = by.ToString(), origins = media.Select(uri => uri.Server.ToString()).ToArray(), mediaIds = media.Select(uri => uri.MediaId).ToArray() }, ct);

    /// <inheritdoc cref="Quarantine(IReadOnlyCollection{MxcUri}, UserId, CancellationToken)"/>
    public Task<int> QuarantineOf(UserId user, UserId by, CancellationToken ct) =>
        Quarantine("uploader = @user", new { by = by.ToString(), user = user.ToString() }, ct);

    /// <summary>Serves it again, and all other media with the same bytes. False: there is no such media.</summary>
    public async Task<bool> Unquarantine(ServerName origin, string mediaId, CancellationToken ct) => await db.FindOne<int?>(
        """
        WITH found AS (SELECT content_hash FROM media WHERE origin = @origin AND media_id = @mediaId),
        listed AS (DELETE FROM media_quarantined_hashes WHERE content_hash IN (SELECT content_hash FROM found)),
        freed AS (UPDATE media SET quarantined_by = NULL WHERE content_hash IN (SELECT content_hash FROM found))
        SELECT 1 FROM found
        """, new { origin = origin.ToString(), mediaId }, ct) != null;

    /// <summary>Protects it from quarantine, or not any more. False: there is no such media.</summary>
    public async Task<bool> Protect(ServerName origin, string mediaId, bool isProtected, CancellationToken ct) => await db.Execute(
        "UPDATE media SET protected = @isProtected WHERE origin = @origin AND media_id = @mediaId",
        new { origin = origin.ToString(), mediaId, isProtected }, ct) > 0;

    public Task<IReadOnlyList<DeletedMedia>> Delete(ServerName origin, string mediaId, DateTimeOffset now, CancellationToken ct) =>
        Delete("origin = @origin AND media_id = @mediaId", new { origin = origin.ToString(), mediaId, now }, ct);

    /// <summary>A batch of what was read last before a time, local or remote, without what is quarantined (it would come back) or protected.</summary>
    public Task<IReadOnlyList<DeletedMedia>> DeleteUnread(ServerName own, bool local, DateTimeOffset before, int limit, DateTimeOffset now, CancellationToken ct) => Delete(
        $"""
        (origin, media_id) IN (SELECT origin, media_id FROM media
            WHERE last_access < @before AND (origin {(local ? "=" : "<>")} @own) AND quarantined_by IS NULL AND NOT protected
            ORDER BY last_access LIMIT @limit)
        """, new { own = own.ToString(), before, limit, now }, ct);

    /// <summary>A batch of the pictures of previews, which nobody uploaded, that nobody has read since a time.</summary>
    public Task<IReadOnlyList<DeletedMedia>> DeletePreviewImages(ServerName own, DateTimeOffset before, int limit, DateTimeOffset now, CancellationToken ct) => Delete(
        """
        (origin, media_id) IN (SELECT origin, media_id FROM media
            WHERE origin = @own AND uploader IS NULL AND last_access < @before ORDER BY last_access LIMIT @limit)
        """, new { own = own.ToString(), before, limit, now }, ct);

    /// <summary>A batch of this server's media that was read last before a time and is larger than a size.</summary>
    /// <param name="keepProfiles">Without the pictures of users and rooms.</param>
    public Task<IReadOnlyList<DeletedMedia>> DeleteLocal(
        ServerName own, DateTimeOffset before, long largerThan, bool keepProfiles, int limit, DateTimeOffset now, CancellationToken ct) => Delete(
        $"""
        (origin, media_id) IN (SELECT origin, media_id FROM media
            WHERE origin = @own AND last_access < @before AND size > @largerThan AND quarantined_by IS NULL AND NOT protected
            AND (NOT @keepProfiles OR {IsNoProfile})
            ORDER BY last_access LIMIT @limit)
        """, new { own = own.ToString(), before, largerThan, keepProfiles, limit, now }, ct);

    /// <summary>
    /// A batch of what only events name that were redacted before a time, one of them by who uploaded it, or for a server's media by one of its users: others
    /// cannot have it deleted by naming it. (Index on the time.)
    /// </summary>
    /// <param name="since">Nothing older: events that name it may not have been looked at.</param>
    public Task<IReadOnlyList<DeletedMedia>> DeleteRedacted(DateTimeOffset before, DateTimeOffset since, int limit, DateTimeOffset now, CancellationToken ct) => Delete(
        $"""
        (origin, media_id) IN (SELECT media.origin, media.media_id FROM media_references r
            JOIN events e USING (event_nid) JOIN media ON media.origin = r.origin AND media.media_id = r.media_id
            WHERE r.redacted_at < @before AND created_at > @since AND quarantined_by IS NULL AND NOT protected
            AND (uploader = e.sender OR (uploader IS NULL AND media.origin = substring(e.sender FROM position(':' IN e.sender) + 1)))
            AND NOT EXISTS (SELECT FROM media_references o WHERE o.origin = r.origin AND o.media_id = r.media_id AND o.redacted_at IS NULL)
            AND {IsNoProfile}
            LIMIT @limit)
        """, new { before, since, limit, now }, ct);

    /// <summary>A batch of what users of this server uploaded before a time and no event names, no profile shows and nobody has read.</summary>
    /// <inheritdoc cref="DeleteRedacted"/>
    public Task<IReadOnlyList<DeletedMedia>> DeleteUnreferenced(
        ServerName own, DateTimeOffset before, DateTimeOffset since, int limit, DateTimeOffset now, CancellationToken ct) => Delete(
        $"""
        (origin, media_id) IN (SELECT origin, media_id FROM media
            WHERE origin = @own AND uploader IS NOT NULL AND last_access < @before AND last_access = created_at AND created_at > @since
            AND quarantined_by IS NULL AND NOT protected
            AND NOT EXISTS (SELECT FROM media_references r WHERE r.origin = media.origin AND r.media_id = media.media_id)
            AND {IsNoProfile}
            ORDER BY last_access LIMIT @limit)
        """, new { own = own.ToString(), before, since, limit, now }, ct);

    /// <summary>A batch of what a user uploaded.</summary>
    public Task<IReadOnlyList<DeletedMedia>> DeleteByUser(UserId user, int limit, DateTimeOffset now, CancellationToken ct) => Delete(
        "(origin, media_id) IN (SELECT origin, media_id FROM media WHERE uploader = @user LIMIT @limit)", new { user = user.ToString(), limit, now }, ct);

    /// <summary>Media ids whose bytes never came, and the traces of work whose doer died.</summary>
    public Task DeleteExpired(DateTimeOffset now, CancellationToken ct) => db.Execute(
        """
        WITH work AS (DELETE FROM media_work WHERE expires_at < clock_timestamp() - interval '1 minute')
        DELETE FROM media_pending WHERE expires_at < @now
        """, new { now }, ct);

    /// <summary>The next events of a room that may name media, by event number.</summary>
    public Task<IReadOnlyList<EventWithMedia>> ListEventsWithMedia(RoomId room, long after, int limit, CancellationToken ct) => db.List<EventWithMedia>(
        """
        SELECT event_nid, json FROM events WHERE room_nid = (SELECT room_nid FROM rooms WHERE room_id = @room) AND position IS NOT NULL
            AND event_nid > @after AND position('mxc://'::bytea IN json) > 0
        ORDER BY event_nid LIMIT @limit
        """, new { room = room.ToString(), after, limit }, ct);

    Task<int> Quarantine(string which, object args, CancellationToken ct) => db.Execute(
        $"""
        WITH hashes AS (SELECT DISTINCT content_hash FROM media WHERE {which} AND NOT protected),
        listed AS (
            INSERT INTO media_quarantined_hashes (content_hash, quarantined_by) SELECT content_hash, @by FROM hashes ON CONFLICT DO NOTHING)
        UPDATE media SET quarantined_by = @by
        WHERE content_hash IN (SELECT content_hash FROM hashes) AND NOT protected AND quarantined_by IS NULL
        """, args, ct);

    Task<IReadOnlyList<DeletedMedia>> Delete(string which, object args, CancellationToken ct) => db.List<DeletedMedia>(
        $"""
        WITH gone AS (DELETE FROM media WHERE {which} RETURNING media_id, content_hash),
        orphans AS (
            INSERT INTO media_orphans (content_hash, check_after) SELECT DISTINCT content_hash, @now FROM gone ON CONFLICT DO NOTHING)
        SELECT media_id, content_hash FROM gone
        """, args, ct);
}

/// <summary>An event whose JSON may name media.</summary>
public sealed record EventWithMedia(long EventNid, byte[] Json);
