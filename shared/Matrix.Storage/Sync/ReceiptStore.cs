using Npgsql;

namespace Matrix.Storage.Sync;

/// <param name="ThreadId">A thread root, <c>main</c>, or empty for the whole room.</param>
/// <param name="Ts">Milliseconds since 1970.</param>
/// <param name="Position">In the log.</param>
public sealed record Receipt(long RoomNid, string UserId, string ReceiptType, string ThreadId, string EventId, long Ts, long Position)
{
    public const string Read = "m.read";

    /// <summary>Told to nobody but its user.</summary>
    public const string PrivateRead = "m.read.private";
}

/// <summary>The event that a receipt is to stand at, as far as its user is concerned.</summary>
/// <param name="EventPosition">Null: the room has no such event.</param>
public sealed record ReceiptTarget(string Membership, long? EventPosition, byte[]? EventJson);

/// <summary>Reads receipts. They are written through the log.</summary>
public sealed class ReceiptStore(NpgsqlDataSource db)
{
    const string Columns = "room_nid, user_id, receipt_type, thread_id, event_id, ts, position";

    /// <summary>Null: the user never was in the room.</summary>
    public Task<ReceiptTarget?> FindTarget(long room, string userId, string eventId, CancellationToken ct) => db.FindOne<ReceiptTarget>(
        """
        SELECT m.membership, e.position AS event_position, e.json AS event_json
        FROM memberships m
        LEFT JOIN events e ON e.event_id = @eventId AND e.room_nid = m.room_nid AND e.position IS NOT NULL
        WHERE m.room_nid = @room AND m.user_id = @userId
        """, new { room, userId, eventId }, ct);

    /// <summary>The receipts that took these positions and have not moved since. By the index receipts_position.</summary>
    public Task<IReadOnlyList<Receipt>> ListAt(long[] positions, CancellationToken ct) => db.List<Receipt>(
        $"SELECT {Columns} FROM receipts WHERE position = ANY(@positions)", new { positions }, ct);

    /// <summary>The receipts of rooms that moved in (after, upTo], as far as a user may know of them. By the index receipts_since.</summary>
    public Task<IReadOnlyList<Receipt>> ListSince(long[] rooms, long after, long upTo, string userId, CancellationToken ct) => db.List<Receipt>(
        $"""
        SELECT {Columns} FROM receipts
        WHERE room_nid = ANY(@rooms) AND position > @after AND position <= @upTo AND (receipt_type <> 'm.read.private' OR user_id = @userId)
        """, new { rooms, after, upTo, userId }, ct);
}
