using Npgsql;

namespace Matrix.Storage.Push;

/// <summary>An event that may have notified a user.</summary>
/// <param name="IsRead">Has the user read the thread up to there?</param>
public sealed record NotifyingEvent(long Position, long RoomNid, long EventNid, bool IsRead);

/// <summary>Which events notified users, by the running counts of unread events: a mark stands where an event notified somebody.</summary>
public sealed class NotificationStore(NpgsqlDataSource db)
{
    /// <summary>
    /// The newest events before a position that have a mark for everybody or for the user, in rooms that the user is in. Reads at most so many marks of each
    /// thread, by the primary key of unread_marks.
    /// </summary>
    public Task<IReadOnlyList<NotifyingEvent>> List(string userId, long before, int limit, CancellationToken ct) => db.List<NotifyingEvent>(
        """
        WITH threads AS (
            SELECT r.room_nid, r.position AS floor, 'main' AS thread_id FROM room_reads r WHERE r.user_id = @userId AND r.thread_id = ''
            UNION ALL
            SELECT r.room_nid, r.position, t.thread_id FROM room_reads r JOIN unread_threads t ON t.room_nid = r.room_nid
            WHERE r.user_id = @userId AND r.thread_id = ''
        ), found AS (
            SELECT DISTINCT m.position, t.room_nid, t.thread_id, t.floor
            FROM threads t CROSS JOIN (VALUES (''), (@userId)) AS whose (user_id)
            CROSS JOIN LATERAL (
                SELECT u.position FROM unread_marks u
                WHERE u.room_nid = t.room_nid AND u.user_id = whose.user_id AND u.thread_id = t.thread_id AND u.position < @before
                ORDER BY u.position DESC LIMIT @limit) m
            ORDER BY m.position DESC LIMIT @limit
        )
        SELECT f.position, f.room_nid, e.event_nid, f.position <= greatest(f.floor, coalesce((
                SELECT r.position FROM room_reads r
                WHERE r.user_id = @userId AND r.room_nid = f.room_nid AND r.thread_id = f.thread_id), 0)) AS is_read
        FROM found f JOIN events e ON e.room_nid = f.room_nid AND e.position = f.position
        ORDER BY f.position DESC
        """, new { userId, before, limit }, ct);
}
