using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>What is stored of events of other servers besides what is stored of all events.</summary>
static class ReceivedRows
{
    /// <summary>With an accepted event: the ends of the known past, and redactions that met their target, or have not met it yet.</summary>
    /// <param name="isLocal">It is by a user of this server.</param>
    /// <param name="back">How many entries of the log's batch come after the event's.</param>
    public static void AddCommands(NpgsqlBatch batch, long roomNid, ReceivedPdu received, int back, bool isLocal)
    {
        var id = received.Pdu.EventId.ToString();
        TimelineGapRows.AddFound(batch, roomNid, id);
        if (received.MissingPrev.Count > 0)
            TimelineGapRows.AddMissing(batch, roomNid, received, back);
        if (received.IsRelayed)
            batch.Add("INSERT INTO relayed_events (event_nid) VALUES ($1)", received.EventNid);
        else if (isLocal)
            batch.Add("INSERT INTO told_events (event_nid) VALUES ($1)", received.EventNid);
        if (received.AwaitsTarget)
        {
            batch.Add("INSERT INTO redactions_due (room_nid, event_id, redaction_nid) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                roomNid, received.Pdu.Redacts!.Value.ToString(), received.EventNid);
        }
        if (received.Redaction is { } redaction)
        {
            batch.Add("UPDATE events SET redacted_by = $2 WHERE event_nid = $1 AND redacted_by IS NULL", received.EventNid, redaction);
            batch.Add("DELETE FROM redactions_due WHERE room_nid = $1 AND event_id = $2", roomNid, id);
        }
    }

    /// <summary>Gives an outlier its place in the room.</summary>
    public static void AddPlaceOutlier(NpgsqlBatch batch, ChainedEvent e, int back)
    {
        AddEdges(batch, e.EventNid, e.Pdu);
        batch.Add("SELECT place_outlier($1, log_position($2), $3, $4, $5)", e.EventNid, back, e.StateBefore.ToBytes(), e.RoomState.ToBytes(), e.Merge is not null);
    }

    /// <summary>An event without a place in the timeline: an outlier, or one that was rejected or failed softly.</summary>
    public static void AddAside(NpgsqlBatch batch, long roomNid, AsideEvent e)
    {
        if (e.WasOutlier)
        {
            batch.Add("UPDATE events SET state_before = $2, rejected = $3, soft_failed = $4 WHERE event_nid = $1 AND state_before IS NULL",
                e.EventNid, e.StateBefore?.ToBytes(), e.Rejected.Storable(), e.SoftFailed);
        }
        else
        {
            batch.Add(
                """
                INSERT INTO events (
                    room_nid, event_nid, event_id, depth, type, state_key, sender, origin_server_ts, json, state_before, rejected, soft_failed)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                """,
                roomNid, e.EventNid, e.Pdu.EventId.ToString(), e.Pdu.Depth, e.Pdu.Type, e.Pdu.StateKey, e.Pdu.Sender.ToString(), e.Pdu.OriginServerTs,
                e.Pdu.Json.ToArray(), e.StateBefore?.ToBytes(), e.Rejected.Storable(), e.SoftFailed);
        }
        if (e.StateBefore is not null)
            AddEdges(batch, e.EventNid, e.Pdu);
    }

    static void AddEdges(NpgsqlBatch batch, long eventNid, Pdu pdu) => batch.Add(
        "INSERT INTO event_edges (event_nid, prev_event_id) SELECT $1, unnest($2) ON CONFLICT DO NOTHING",
        eventNid, pdu.PrevEvents.Select(prev => prev.ToString()).ToArray());
}

/// <param name="StateBefore">Null: an outlier.</param>
sealed record AsideEvent(long EventNid, Pdu Pdu, StateNodeId? StateBefore, string? Rejected, bool SoftFailed, bool WasOutlier);
