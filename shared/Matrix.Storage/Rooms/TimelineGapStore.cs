using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>A place in a room's timeline where events are missing (docs/adr/0038).</summary>
/// <param name="Above">The position of the event right above it, by which it is known; null: it is known by none, as the oldest one of an older release is.</param>
/// <param name="Top">What is missing stands below this position.</param>
/// <param name="Depth">Of the event above.</param>
/// <param name="Below">And above this one, where an event is; null: nothing is below.</param>
/// <param name="BelowDepth">Of that event.</param>
/// <param name="Floor">Events no deeper than this belong into an older gap; null: there is none.</param>
public sealed record TimelineGap(long? Above, long Top, long Depth, long? Below, long? BelowDepth, long? Floor)
{
    /// <summary>Below everything there is room for this many times as many events as the depth tells of, for branches.</summary>
    const int Spread = 10;

    /// <summary>How many events it has room for.</summary>
    public long Places => Below is { } below ? Top - below - 1 : long.MaxValue;

    /// <summary>Where an event of this depth goes if others are missing above it and below it: as far down as its depth is.</summary>
    public long PlaceOf(long depth)
    {
        if (Below is not { } below)
            return Top - 1 - Spread * Math.Max(0, Depth - depth);
        var share = Math.Clamp((depth - BelowDepth!.Value) / Math.Max(1.0, Depth - BelowDepth.Value), 0, 1);
        return Math.Min(Top - 1, below + 1 + (long)(share * Places));
    }
}

/// <summary>The gaps in rooms' timelines. Written with events, by the log writer.</summary>
public sealed class TimelineGapStore(NpgsqlDataSource db)
{
    /// <summary>Positions that an event leaves free below it, where others of its room are older than what is missing.</summary>
    public const long Room = 1_000_000;

    /// <summary>As an event leaves below which there is nothing: a sign that its past is missing.</summary>
    const long Sign = 1;

    /// <summary>How long a rolling upgrade may take, in which the release before runs that knows of no positions without entries.</summary>
    static readonly TimeSpan Upgrade = TimeSpan.FromHours(1);

    /// <summary>How many positions an event has to leave free, before which these events are missing. None if they are missing in a gap that there is already.</summary>
    public Task<long> CountPlaces(long roomNid, long depth, IReadOnlyCollection<EventId> missing, CancellationToken ct) => db.GetOne<long>(
        """
        SELECT CASE
            WHEN EXISTS (SELECT FROM timeline_gaps WHERE room_nid = @roomNid AND depth >= @depth) THEN 0
            WHEN NOT EXISTS (SELECT FROM unnest(@missing) AS m (id)
                WHERE NOT EXISTS (SELECT FROM backward_extremities b WHERE b.room_nid = @roomNid AND b.event_id = m.id)) THEN 0
            WHEN NOT is_known_to_all('0200_timeline_gaps', @Upgrade) THEN 0
            WHEN EXISTS (SELECT FROM events WHERE room_nid = @roomNid AND position IS NOT NULL) THEN @Room
            ELSE @Sign END
        """, new { roomNid, depth, missing = missing.Select(id => id.ToString()).ToArray(), Upgrade, Room, Sign }, ct);

    /// <summary>The gap below the event at a position, to put <paramref name="most"/> events into; null: there is none.</summary>
    /// <param name="above">Null: the end of the known past.</param>
    public async Task<TimelineGap?> FindToFill(long roomNid, long? above, int most, CancellationToken ct)
    {
        if (above is not { } position)
            return await FindOldest(roomNid, ct);
        var gap = await Find(roomNid, position, ct);
        // what there is no room for goes below everything: all of it is to be read, though not in its place
        if ((gap is { Below: null } || gap?.Places < most) && await FindOldest(roomNid, ct) is { } oldest)
            return oldest with { Above = position };
        return gap;
    }

    /// <summary>The first gap in (after, upTo], by the position of the event above it.</summary>
    public Task<long?> FindFirst(long roomNid, long after, long upTo, CancellationToken ct) => db.FindOne<long?>(
        "SELECT min(above) FROM timeline_gaps WHERE room_nid = @roomNid AND above > @after AND above <= @upTo", new { roomNid, after, upTo }, ct);

    /// <summary>The event at this time, or the first one after it, if it stands right above a gap: its position. By the index events_by_time.</summary>
    public Task<long?> FindAt(long roomNid, long ts, CancellationToken ct) => db.FindOne<long?>(
        """
        SELECT g.above FROM (
            SELECT position FROM events WHERE room_nid = @roomNid AND position IS NOT NULL AND origin_server_ts >= @ts
            ORDER BY origin_server_ts, position LIMIT 1) e
        JOIN timeline_gaps g ON g.room_nid = @roomNid AND g.above = e.position
        """, new { roomNid, ts }, ct);

    Task<TimelineGap?> Find(long roomNid, long above, CancellationToken ct) => db.FindOne<TimelineGap>(
        """
        SELECT g.above, g.above AS top, g.depth, b.position AS below, b.depth AS below_depth,
            (SELECT depth FROM timeline_gaps o WHERE o.room_nid = @roomNid AND o.above < g.above ORDER BY o.above DESC LIMIT 1) AS floor
        FROM timeline_gaps g LEFT JOIN LATERAL (
            SELECT position, depth FROM events WHERE room_nid = @roomNid AND position < g.above ORDER BY position DESC LIMIT 1) b ON true
        WHERE g.room_nid = @roomNid AND g.above = @above
        """, new { roomNid, above }, ct);

    // What is below all others has the room's own positions, which are none of the log's.
    Task<TimelineGap?> FindOldest(long roomNid, CancellationToken ct) => db.FindOne<TimelineGap>(
        """
        SELECT (SELECT min(above) FROM timeline_gaps WHERE room_nid = @roomNid) AS above, least(position, 0) AS top, depth,
            NULL::bigint AS below, NULL::bigint AS below_depth, NULL::bigint AS floor
        FROM events WHERE room_nid = @roomNid AND position IS NOT NULL ORDER BY position LIMIT 1
        """, new { roomNid }, ct);

    /// <summary>The events that are missing in a gap and that known ones build on, the oldest first as far as these claim.</summary>
    public async Task<IReadOnlyList<EventId>> ListMissing(long roomNid, TimelineGap gap, int limit, CancellationToken ct) =>
        [.. (await db.List<string>(
            """
            SELECT event_id FROM backward_extremities
            WHERE room_nid = @roomNid AND (above = @Above OR above IS NULL AND @Below IS NULL) ORDER BY depth LIMIT @limit
            """, new { roomNid, gap.Above, gap.Below, limit }, ct)).Select(id => EventId.Parse(id))];
}
