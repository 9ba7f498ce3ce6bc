using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>What is stored of events that are missing, and of the gaps of the timeline in which they are (docs/adr/0038).</summary>
static class TimelineGapRows
{
    /// <summary>With an event that is here now, whether it was missing or not. A gap in which nothing is missing any more is none.</summary>
    public static void AddFound(NpgsqlBatch batch, long roomNid, string eventId) => batch.Add(
        """
        WITH found AS (DELETE FROM backward_extremities WHERE room_nid = $1 AND event_id = $2 RETURNING above)
        DELETE FROM timeline_gaps g USING found WHERE g.room_nid = $1 AND g.above = found.above
            AND NOT EXISTS (SELECT FROM backward_extremities b WHERE b.room_nid = $1 AND b.above = g.above AND b.event_id <> $2)
        """, roomNid, eventId);

    /// <summary>
    /// With an event before which others are missing: they are in the oldest gap that is above an event no less deep, for this one came late; else the gap is right
    /// below it.
    /// </summary>
    public static void AddMissing(NpgsqlBatch batch, long roomNid, ReceivedPdu received, int back)
    {
        batch.Add(
            """
            INSERT INTO backward_extremities (room_nid, event_id, depth, above)
            SELECT $1, unnest($2), $3, coalesce(
                (SELECT above FROM timeline_gaps WHERE room_nid = $1 AND depth >= $3 ORDER BY above LIMIT 1), log_position($4))
            ON CONFLICT DO NOTHING
            """, roomNid, received.MissingPrev.Select(prev => prev.ToString()).ToArray(), received.Pdu.Depth, back);
        batch.Add(
            """
            INSERT INTO timeline_gaps (room_nid, above, depth) SELECT $1, p.position, $2 FROM log_position($3) AS p (position)
            WHERE EXISTS (SELECT FROM backward_extremities WHERE room_nid = $1 AND above = p.position)
            """, roomNid, received.Pdu.Depth, back);
    }
}
