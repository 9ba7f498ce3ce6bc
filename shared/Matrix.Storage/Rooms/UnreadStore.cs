using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>What is unread in a thread of a room that a user is in. A room always has a row for its main timeline.</summary>
/// <param name="Position">How far the log was when this was read.</param>
/// <param name="Floor">How far the whole room is read.</param>
/// <param name="ReadTo">How far the thread is read.</param>
/// <param name="Newest">The newest event that can be among those counted.</param>
/// <param name="Ordinary">Does what notifies by the ordinary rules count for the user now, in the main timeline?</param>
/// <param name="Threads">And in threads?</param>
public sealed record UnreadRow(
    long Position, long RoomNid, bool Ordinary, bool Threads, string ThreadId, long Floor, long ReadTo, long Newest, int Notified, int Highlighted);

/// <param name="StateRoot">The room's state that the rest belongs to.</param>
/// <param name="UsersWithRules">Those who are in the room and have changed some push rules, or ignore somebody.</param>
public sealed record AudienceRow(long RoomNid, byte[] StateRoot, int JoinedCount, string[] UsersWithRules);

/// <param name="Type"><c>m.push_rules</c> or <c>m.ignored_user_list</c>.</param>
public sealed record UserRulesRow(string UserId, string Type, string Content);

/// <summary>Reads what is unread, and what decides about it. It is written through the log.</summary>
public sealed class UnreadStore(NpgsqlDataSource db)
{
    /// <summary>
    /// What is unread for a user in those of the rooms that the user is in; by differences of running counts, so that what was written since does not
    /// matter. By the primary keys of room_reads and unread_marks, and by unread_threads_newest.
    /// </summary>
    public Task<IReadOnlyList<UnreadRow>> List(string userId, IReadOnlyCollection<long> rooms, CancellationToken ct) => db.List<UnreadRow>(
        """
        WITH rooms AS (
            SELECT r.room_nid, r.position AS floor, coalesce(l.ordinary, true) AS ordinary, coalesce(l.threads, l.ordinary, true) AS threaded
            FROM room_reads r LEFT JOIN LATERAL (SELECT n.ordinary, n.threads FROM notify_levels n
                WHERE n.user_id = @userId AND n.room_nid = r.room_nid ORDER BY n.position DESC LIMIT 1) l ON true
            WHERE r.user_id = @userId AND r.room_nid = ANY(@rooms) AND r.thread_id = ''
        ), threads AS (
            SELECT room_nid, 'main' AS thread_id, floor, ordinary, threaded FROM rooms
            UNION ALL
            SELECT r.room_nid, t.thread_id, r.floor, r.ordinary, r.threaded FROM rooms r JOIN unread_threads t ON t.room_nid = r.room_nid AND t.position > r.floor
        ), reads AS MATERIALIZED (
            SELECT t.room_nid, t.thread_id, t.ordinary, t.threaded, t.floor, greatest(t.floor, r.position) AS read_to,
                greatest(
                    (SELECT max(m.position) FROM unread_marks m WHERE m.room_nid = t.room_nid AND m.user_id = '' AND m.thread_id = t.thread_id),
                    (SELECT max(m.position) FROM unread_marks m WHERE m.room_nid = t.room_nid AND m.user_id = @userId AND m.thread_id = t.thread_id)
                ) AS newest
            FROM threads t LEFT JOIN room_reads r ON r.user_id = @userId AND r.room_nid = t.room_nid AND r.thread_id = t.thread_id
        )
        SELECT log_position(0) AS position, r.room_nid, r.ordinary, r.threaded AS threads, r.thread_id, r.floor, r.read_to, coalesce(r.newest, 0) AS newest, coalesce(c.notified, 0) AS notified,
            coalesce(c.highlighted, 0) AS highlighted
        FROM reads r
        LEFT JOIN LATERAL unread_count(@userId, r.room_nid, r.thread_id, r.read_to) c ON r.newest > r.read_to
        """, new { userId, rooms = rooms.ToArray() }, ct);

    /// <summary>Who is in each of these rooms, as far as evaluating push rules has to know, and in which state of it.</summary>
    public Task<IReadOnlyList<AudienceRow>> ListAudiences(IReadOnlyCollection<long> roomNids, CancellationToken ct) => db.List<AudienceRow>(
        """
        SELECT h.room_nid, h.state_root, s.joined_count, ARRAY(
            SELECT DISTINCT m.user_id FROM memberships m
            JOIN account_data a ON a.user_id = m.user_id AND a.room_id = '' AND a.type IN ('m.push_rules', 'm.ignored_user_list')
            WHERE m.room_nid = h.room_nid AND m.membership = 'join') AS users_with_rules
        FROM room_heads h JOIN room_summaries s USING (room_nid)
        WHERE h.room_nid = ANY(@roomNids)
        """, new { roomNids = roomNids.ToArray() }, ct);

    /// <summary>What users have set that decides about notifications.</summary>
    public Task<IReadOnlyList<UserRulesRow>> ListRules(IReadOnlyCollection<string> userIds, CancellationToken ct) => db.List<UserRulesRow>(
        """
        SELECT user_id, type, content FROM account_data
        WHERE user_id = ANY(@userIds) AND room_id = '' AND type IN ('m.push_rules', 'm.ignored_user_list')
        """, new { userIds = userIds.ToArray() }, ct);
}
