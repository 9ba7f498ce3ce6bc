using Npgsql;

namespace Matrix.Storage.Federation;

/// <summary>A receipt at an event that was not here when it came.</summary>
/// <param name="EventPosition">Null: it still is not.</param>
public sealed record WaitingReceipt(long RoomNid, string UserId, string ThreadId, string EventId, long Ts, long? EventPosition);

/// <summary>Receipts of other servers that overtook their events.</summary>
public sealed class WaitingReceiptStore(NpgsqlDataSource db)
{
    /// <summary>Keeps receipts until their events are here; of one place of a user the newest. None beyond what a server may have waiting.</summary>
    public Task<int> Insert(string origin, IReadOnlyList<WaitingReceipt> receipts, int most, CancellationToken ct) => db.Execute(
        """
        INSERT INTO waiting_receipts AS old (room_nid, user_id, thread_id, event_id, ts, origin)
        SELECT DISTINCT ON (r.room_nid, r.user_id, r.thread_id) r.*, @origin
        FROM unnest(@rooms, @users, @threads, @events, @times) AS r (room_nid, user_id, thread_id, event_id, ts)
        WHERE (SELECT count(*) FROM (SELECT FROM waiting_receipts WHERE origin = @origin LIMIT @most) AS own) < @most
        ORDER BY r.room_nid, r.user_id, r.thread_id, r.ts DESC
        ON CONFLICT (room_nid, user_id, thread_id) DO UPDATE SET event_id = excluded.event_id, ts = excluded.ts, look_at = excluded.look_at, pause = excluded.pause
        WHERE old.ts <= excluded.ts AND old.event_id <> excluded.event_id
        """,
        new
        {
            origin, most, rooms = receipts.Select(r => r.RoomNid).ToArray(), users = receipts.Select(r => r.UserId).ToArray(), threads = receipts.Select(r => r.ThreadId).ToArray(),
            events = receipts.Select(r => r.EventId).ToArray(), times = receipts.Select(r => r.Ts).ToArray(),
        }, ct);

    /// <summary>Those that are due, of which it is seen whether their events have come; they are due again after twice the pause. By waiting_receipts_due.</summary>
    public Task<IReadOnlyList<WaitingReceipt>> TakeDue(int limit, CancellationToken ct) => db.List<WaitingReceipt>(
        """
        WITH due AS (SELECT room_nid, user_id, thread_id FROM waiting_receipts WHERE look_at <= now() ORDER BY look_at LIMIT @limit FOR UPDATE SKIP LOCKED)
        UPDATE waiting_receipts w SET look_at = now() + 2 * w.pause, pause = 2 * w.pause FROM due
        WHERE (w.room_nid, w.user_id, w.thread_id) = (due.room_nid, due.user_id, due.thread_id)
        RETURNING w.room_nid, w.user_id, w.thread_id, w.event_id, w.ts, (
            SELECT e.position FROM events e JOIN memberships m ON m.room_nid = e.room_nid AND m.user_id = w.user_id AND m.membership = 'join'
            WHERE e.event_id = w.event_id AND e.room_nid = w.room_nid AND e.rejected IS NULL AND e.soft_failed IS NOT TRUE) AS event_position
        """, new { limit }, ct);

    /// <summary>Forgets those that are settled, unless another has taken their place, and those that have waited for too long.</summary>
    public Task<int> Delete(IReadOnlyList<WaitingReceipt> settled, CancellationToken ct) => db.Execute(
        """
        DELETE FROM waiting_receipts w USING unnest(@rooms, @users, @threads, @events) AS s (room_nid, user_id, thread_id, event_id)
        WHERE (w.room_nid, w.user_id, w.thread_id, w.event_id) = (s.room_nid, s.user_id, s.thread_id, s.event_id)
        """,
        new
        {
            rooms = settled.Select(r => r.RoomNid).ToArray(), users = settled.Select(r => r.UserId).ToArray(), threads = settled.Select(r => r.ThreadId).ToArray(),
            events = settled.Select(r => r.EventId).ToArray(),
        }, ct);

    /// <summary>Gives up what has waited for a day. By waiting_receipts_due: their next look lies furthest ahead.</summary>
    public Task<int> DeleteOld(CancellationToken ct) => db.Execute(
        "DELETE FROM waiting_receipts WHERE look_at > now() + interval '12 hours'", null, ct);
}
