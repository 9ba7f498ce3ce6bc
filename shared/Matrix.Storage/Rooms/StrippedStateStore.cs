using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>What users of this server are shown of rooms that it is not in. Written through the log with their memberships.</summary>
public sealed class StrippedStateStore(NpgsqlDataSource db)
{
    /// <summary>A JSON array of stripped state events, or null. By primary key.</summary>
    public Task<byte[]?> Find(long roomNid, string userId, CancellationToken ct) => db.FindOne<byte[]>(
        """
        SELECT events FROM stripped_states
        WHERE room_nid = @roomNid AND user_id = @userId
        """, new { roomNid, userId }, ct);
}
