using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Media;

/// <summary>How far the log was looked through for media, and since when everything was.</summary>
public sealed record MediaFollowing(long Position, DateTimeOffset Since);

/// <summary>An event that may name media, or redact one that does.</summary>
public sealed record EventOfMedia(long EventNid, bool IsRedaction, bool IsRedacted, byte[] Json);

/// <summary>Which events name which media.</summary>
public sealed class MediaReferenceStore(NpgsqlDataSource db)
{
    /// <summary>
    /// Where to go on. Begins at the log's end: at first, and where the log was deleted before it was looked through, because nobody followed it for days.
    /// </summary>
    public Task<MediaFollowing> Begin(DateTimeOffset now, CancellationToken ct) => db.GetOne<MediaFollowing>(
        """
        INSERT INTO media_following AS f (position, since) SELECT position, @now FROM log_head
        ON CONFLICT (only_one) DO UPDATE SET
            position = CASE WHEN f.position < (SELECT min(position) FROM log) - 1 THEN excluded.position ELSE f.position END,
            since = CASE WHEN f.position < (SELECT min(position) FROM log) - 1 THEN excluded.since ELSE f.since END
        RETURNING position, since
        """, new { now }, ct);

    /// <summary>What of the log there is after a position: how far a page goes, or null at the end.</summary>
    public Task<long?> FindPage(long after, int limit, CancellationToken ct) => db.FindOne<long?>(
        "SELECT max(position) FROM (SELECT position FROM log WHERE position > @after ORDER BY position LIMIT @limit) page", new { after, limit }, ct);

    /// <summary>By the log's primary key.</summary>
    public Task<IReadOnlyList<EventOfMedia>> List(long after, long upTo, CancellationToken ct) => db.List<EventOfMedia>(
        """
        SELECT e.event_nid, e.type = 'm.room.redaction' AS is_redaction, e.redacted_by IS NOT NULL AS is_redacted, e.json
        FROM log l JOIN events e ON e.event_nid = l.event_nid
        WHERE l.position > @after AND l.position <= @upTo AND (e.type = 'm.room.redaction' OR position('mxc://'::bytea IN e.json) > 0)
        """, new { after, upTo }, ct);

    /// <summary>How far a page of all events goes, and how many there are in it. By the table's primary key.</summary>
    public static Task<(long? UpTo, int Count)> FindPageOfEvents(DatabaseTransaction tx, long after, long goal, int limit, CancellationToken ct) => tx.GetOne<(long?, int)>(
        """
        SELECT max(event_nid), count(*)::int FROM
            (SELECT event_nid FROM events WHERE event_nid > @after AND event_nid <= @goal ORDER BY event_nid LIMIT @limit) page
        """, new { after, goal, limit }, ct);

    /// <summary>By the table's primary key. Redactions have been applied to what is stored; those that come are seen in the log.</summary>
    public static Task<IReadOnlyList<EventOfMedia>> ListEvents(DatabaseTransaction tx, long after, long upTo, CancellationToken ct) => tx.List<EventOfMedia>(
        """
        SELECT event_nid, false AS is_redaction, redacted_by IS NOT NULL AS is_redacted, json
        FROM events WHERE event_nid > @after AND event_nid <= @upTo AND position('mxc://'::bytea IN json) > 0
        """, new { after, upTo }, ct);

    public static Task<long> NewestEvent(DatabaseTransaction tx, CancellationToken ct) =>
        tx.GetOne<long>("SELECT coalesce(max(event_nid), 0) FROM events", null, ct);

    /// <summary>
    /// All events were looked through that were there when a job began, and the log has been since: nothing is unknown any more. Unless the log was lost sight of
    /// meanwhile, which takes more than the hour for which the log is kept at least.
    /// </summary>
    public static Task KnowsAll(DatabaseTransaction tx, string job, CancellationToken ct) => tx.Execute(
        """
        UPDATE media_following SET since = 'epoch'
        FROM background_jobs j WHERE j.name = @job AND since < j.begun_at + interval '1 hour'
        """, new { job }, ct);

    /// <summary>Stores what a page of the log said, and how far that was, in one transaction.</summary>
    /// <param name="redacted">Ids of events that were redacted.</param>
    public async Task Store(
        IReadOnlyCollection<(EventOfMedia Event, MxcUri Media)> references, IReadOnlyCollection<string> redacted, long upTo, DateTimeOffset now, CancellationToken ct)
    {
        await using var tx = await db.BeginTransaction(ct);
        await Insert(tx, references, now, ct);
        await tx.Execute(
            """
            UPDATE media_references SET redacted_at = @now
            WHERE redacted_at IS NULL AND event_nid IN (SELECT event_nid FROM events WHERE event_id = ANY(@redacted) AND redacted_by IS NOT NULL)
            """, new { now, redacted = redacted.ToArray() }, ct);
        await tx.Execute("UPDATE media_following SET position = greatest(position, @upTo)", new { upTo }, ct);
        await tx.CommitAsync(ct);
    }

    public static Task Insert(DatabaseTransaction tx, IReadOnlyCollection<(EventOfMedia Event, MxcUri Media)> references, DateTimeOffset now, CancellationToken ct) => tx.Execute(
        """
        INSERT INTO media_references (event_nid, origin, media_id, redacted_at)
        SELECT nid, origin, media_id, CASE WHEN redacted THEN @now END FROM unnest(@nids, @origins, @ids, @gone) AS n (nid, origin, media_id, redacted)
        ON CONFLICT DO NOTHING
        """, new
        {
            now,
            nids = references.Select(one => one.Event.EventNid).ToArray(),
            origins = references.Select(one => one.Media.Server.ToString()).ToArray(),
            ids = references.Select(one => one.Media.MediaId).ToArray(),
            gone = references.Select(one => one.Event.IsRedacted).ToArray(),
        }, ct);

    /// <summary>Forgets events that were redacted before a time: what they alone named has been deleted.</summary>
    public Task<int> ForgetRedacted(DateTimeOffset before, CancellationToken ct) =>
        db.Execute("DELETE FROM media_references WHERE redacted_at < @before", new { before }, ct);
}
