using System.Globalization;
using Npgsql;

namespace Matrix.Storage.Push;

/// <summary>What a mail pusher last wrote of a room.</summary>
/// <param name="Mails">Since the room was last read.</param>
/// <param name="WasRead">Has the user read the room since?</param>
public sealed record MailedRoom(long RoomNid, DateTimeOffset MailedAt, int Mails, bool WasRead);

/// <summary>What mail pushers have sent.</summary>
public sealed class PushMailStore(NpgsqlDataSource db)
{
    /// <summary>By primary keys.</summary>
    public Task<IReadOnlyList<MailedRoom>> ListRooms(long pusherId, string userId, CancellationToken ct) => db.List<MailedRoom>(
        """
        SELECT m.room_nid, m.mailed_at, m.mails, coalesce((
            SELECT max(r.position) FROM room_reads r
            WHERE r.user_id = @userId AND r.room_nid = m.room_nid AND r.thread_id IN ('', 'main')), 0) >= m.position AS was_read
        FROM push_mail_rooms m WHERE m.pusher_id = @pusherId
        """, new { pusherId, userId }, ct);

    /// <summary>A mail about rooms has left. False: the pusher is gone.</summary>
    /// <param name="cursor">Everything up to here was mailed, dropped or is in <paramref name="waiting"/>.</param>
    /// <param name="rooms">With the newest event's position, and how many mails it were.</param>
    public async Task<bool> Mailed(
        long pusherId, long cursor, IReadOnlyList<long> waiting, IReadOnlyCollection<(long RoomNid, long Position, int Mails)> rooms, CancellationToken ct) =>
        await db.FindOne<long?>(
            """
            WITH moved AS (
                UPDATE push_cursors SET cursor = greatest(cursor, @cursor), waiting = @waiting::bigint[] WHERE pusher_id = @pusherId RETURNING pusher_id
            ), written AS (
                INSERT INTO push_mail_rooms (pusher_id, room_nid, position, mailed_at, mails)
                SELECT m.pusher_id, n.room_nid, n.position, now(), n.mails FROM moved m, unnest(@rooms, @positions, @mails) AS n (room_nid, position, mails)
                ON CONFLICT (pusher_id, room_nid) DO UPDATE SET position = excluded.position, mailed_at = now(), mails = excluded.mails
            )
            SELECT pusher_id FROM moved
            """, new
        {
            pusherId,
            cursor,
            waiting = $"{{{string.Join(',', waiting.Select(p => p.ToString(CultureInfo.InvariantCulture)))}}}",
            rooms = rooms.Select(room => room.RoomNid).ToArray(),
            positions = rooms.Select(room => room.Position).ToArray(),
            mails = rooms.Select(room => room.Mails).ToArray(),
        }, ct) is not null;

    /// <summary>The address was asked whether it wants mail.</summary>
    public Task<int> Asked(long pusherId, CancellationToken ct) =>
        db.Execute("UPDATE push_cursors SET mailed_at = now() WHERE pusher_id = @pusherId", new { pusherId }, ct);
}
