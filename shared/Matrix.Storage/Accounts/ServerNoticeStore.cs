using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Which room the server speaks to a user in.</summary>
public sealed class ServerNoticeStore(NpgsqlDataSource db)
{
    public Task<RoomId?> Find(UserId userId, CancellationToken ct) =>
        db.FindOne<RoomId?>("SELECT room_id FROM server_notice_rooms WHERE user_id = @userId", new { userId }, ct);

    /// <summary>Unless another was noted meanwhile: the one that counts comes back.</summary>
    public async Task<RoomId> Insert(UserId userId, RoomId roomId, RoomId? instead, CancellationToken ct) => await db.GetOne<RoomId>(
        """
        INSERT INTO server_notice_rooms AS old (user_id, room_id) VALUES (@userId, @roomId)
        ON CONFLICT (user_id) DO UPDATE SET room_id = CASE WHEN old.room_id = @instead THEN excluded.room_id ELSE old.room_id END
        RETURNING room_id
        """, new { userId, roomId, instead = instead?.ToString() }, ct);
}
