using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Writing;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Fetching;

/// <summary>
/// Gives a page of a room's past its places at the top of a gap, or one event a place within it, and tells so. Positions are the room's own there: whoever brings
/// another page at the same time fails on the unique key of positions.
/// </summary>
/// <param name="alone">The place of one event, above and below which others are missing.</param>
sealed class HistoryChange(OldPage page, long? alone = null) : LogChange
{
    readonly OldEvent[] timeline = [.. page.Events.Where(e => e.Rejected is null)];

    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.History, page.Room.RoomNid)];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        var (room, at) = (page.Room.RoomNid, alone ?? page.Gap.Top - timeline.Length);
        foreach (var e in timeline)
        {
            Place(batch, e, at);
            AddRelation(batch, e, at++);
        }
        foreach (var e in page.Events.Where(e => e.Rejected is not null))
            ReceivedRows.AddAside(batch, room, new AsideEvent(e.EventNid, e.Pdu, e.Before, e.Rejected, false, e.WasOutlier));
        var edges = timeline.SelectMany(e => e.Pdu.PrevEvents.Select(prev => (e.EventNid, Prev: prev.ToString()))).ToArray();
        batch.Add("INSERT INTO event_edges (event_nid, prev_event_id) SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING",
            edges.Select(e => e.EventNid).ToArray(), edges.Select(e => e.Prev).ToArray());
        AddEnds(batch, alone ?? page.Gap.Top - timeline.Length);
        foreach (var (target, redaction) in page.Redacted)
        {
            batch.Add("UPDATE events SET redacted_by = $1 WHERE event_id = $2 AND room_nid = $3 AND redacted_by IS NULL", redaction, target.ToString(), room);
            batch.Add("DELETE FROM redactions_due WHERE room_nid = $1 AND event_id = $2", room, target.ToString());
        }
        foreach (var (redaction, target) in page.Due)
            batch.Add("INSERT INTO redactions_due (room_nid, event_id, redaction_nid) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", room, target.ToString(), redaction);
    }

    void Place(NpgsqlBatch batch, OldEvent e, long at)
    {
        if (e.WasOutlier)
        {
            batch.Add("SELECT place_outlier($1, $2, $3, $4, false)", e.EventNid, at, e.Before.ToBytes(), e.After.ToBytes());
            return;
        }
        batch.Add(
            """
            INSERT INTO events (
                room_nid, position, event_nid, event_id, depth, type, state_key, sender, origin_server_ts, json, state_before, room_state)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """,
            page.Room.RoomNid, at, e.EventNid, e.Pdu.EventId.ToString(), e.Pdu.Depth, e.Pdu.Type, e.Pdu.StateKey, e.Pdu.Sender.ToString(), e.Pdu.OriginServerTs,
            e.Pdu.Json.ToArray(), e.Before.ToBytes(), e.After.ToBytes());
    }

    void AddRelation(NpgsqlBatch batch, OldEvent e, long at)
    {
        if (e.Pdu.Redacts is not null || page.Redacted.ContainsKey(e.Pdu.EventId)
            || EventRelation.Read(e.Pdu) is not { RelType: { } relType, EventId: { } target } relation)
            return;
        batch.Add("SELECT add_relation($1, $2, $3, $4, $5, $6, $7, $8, $9, false, $10)",
            e.EventNid, page.Room.RoomNid, at, target.ToString(), relType.Storable(), e.Pdu.Type, e.Pdu.Sender.ToString(), e.Pdu.OriginServerTs,
            relation.Key.Storable(), EventRelation.IsReplacement(e.Pdu));
    }

    /// <summary>What is still missing is so below the lowest event of the page, or in an older gap.</summary>
    void AddEnds(NpgsqlBatch batch, long at)
    {
        var (room, gap) = (page.Room.RoomNid, page.Gap);
        var above = timeline.Length > 0 ? at : gap.Above;
        batch.Add("DELETE FROM backward_extremities WHERE room_nid = $1 AND event_id = ANY($2)", room, page.Events.Select(e => e.Pdu.EventId.ToString()).ToArray());
        var missing = page.Events.SelectMany(e => e.MissingPrev.Select(prev => (Prev: prev.ToString(), e.Pdu.Depth))).DistinctBy(e => e.Prev).ToArray();
        if (timeline.Length > 0 && alone is null)
        {
            batch.Add("UPDATE backward_extremities SET above = $2 WHERE room_nid = $1 AND (above = $3 OR above IS NULL AND $4)",
                room, at, gap.Above, gap.Below is null);
        }
        // what is missing in two gaps is so in the older one
        batch.Add(
            """
            INSERT INTO backward_extremities AS b (room_nid, event_id, depth, above)
            SELECT $1, m.id, m.depth, CASE WHEN m.depth <= $4
                THEN (SELECT above FROM timeline_gaps WHERE room_nid = $1 AND above < $5 ORDER BY above DESC LIMIT 1) ELSE $5 END
            FROM unnest($2, $3) AS m (id, depth)
            ON CONFLICT (room_nid, event_id) DO UPDATE SET above = least(b.above, excluded.above)
            """,
            room, missing.Select(e => e.Prev).ToArray(), missing.Select(e => e.Depth - 1).ToArray(), gap.Floor, above);
        if (page.Older.Count > 0)
        {
            batch.Add(
                """
                UPDATE backward_extremities
                SET above = (SELECT above FROM timeline_gaps WHERE room_nid = $1 AND above < $3 ORDER BY above DESC LIMIT 1)
                WHERE room_nid = $1 AND event_id = ANY($2) AND above = $3
                """, room, page.Older.Select(id => id.ToString()).ToArray(), above);
        }
        if (timeline.Length > 0)
        {
            batch.Add(
                """
                INSERT INTO timeline_gaps (room_nid, above, depth) SELECT $1, $2, $3
                WHERE EXISTS (SELECT FROM backward_extremities WHERE room_nid = $1 AND above = $2)
                """, room, at, timeline[0].Pdu.Depth);
        }
        batch.Add(
            """
            DELETE FROM timeline_gaps g
            WHERE g.room_nid = $1 AND NOT EXISTS (SELECT FROM backward_extremities b WHERE b.room_nid = $1 AND b.above = g.above)
            """, room);
    }
}
