using Npgsql;

namespace Matrix.Storage.Federation;

/// <summary>A public receipt of a user of this server.</summary>
/// <param name="ThreadId">A thread root, <c>main</c>, or empty for the whole room.</param>
public sealed record OutgoingReceipt(string RoomId, long RoomNid, string UserId, string EventId, string ThreadId, long Ts, long Position);

/// <summary>The newest change of a user's list of devices.</summary>
/// <param name="Previous">The change before it.</param>
public sealed record DeviceListChange(string UserId, long Position, long? Previous);

/// <summary>A user of this server who is joined to a room.</summary>
public sealed record OwnMember(long RoomNid, string UserId);

/// <param name="UserId">A user of this server.</param>
/// <param name="Server">A server that shares a room with the user.</param>
public sealed record SharingServer(string UserId, string Server);

/// <summary>What other servers are told of this server's users beside events.</summary>
public sealed class OutgoingEduStore(NpgsqlDataSource db)
{
    const string Columns = "o.room_id, r.room_nid, r.user_id, r.event_id, r.thread_id, r.ts, r.position";

    /// <summary>The public receipts of users of this server that took these positions and have not moved since. By the index receipts_position.</summary>
    public Task<IReadOnlyList<OutgoingReceipt>> ListReceipts(long[] positions, string own, CancellationToken ct) => db.List<OutgoingReceipt>(
        $"""
        SELECT {Columns} FROM receipts r JOIN rooms o USING (room_nid)
        WHERE r.position = ANY(@positions) AND r.receipt_type = 'm.read' AND right(r.user_id, length(@own)) = @own ORDER BY r.position
        """, new { positions, own }, ct);

    /// <summary>The newest public receipts in a server's rooms that moved in (after, upTo], in order. By the index receipts_since.</summary>
    public async Task<IReadOnlyList<OutgoingReceipt>> ListReceiptsFor(string server, long after, long upTo, string own, int limit, CancellationToken ct) =>
        [.. (await db.List<OutgoingReceipt>(
        $"""
        SELECT {Columns} FROM room_servers s JOIN receipts r ON r.room_nid = s.room_nid AND r.position > @after AND r.position <= @upTo
        JOIN rooms o ON o.room_nid = r.room_nid
        WHERE s.server = @server AND s.joined > 0 AND r.receipt_type = 'm.read' AND right(r.user_id, length(@own)) = @own
        ORDER BY r.position DESC LIMIT @limit
        """, new { server, after, upTo, own, limit }, ct)).OrderBy(receipt => receipt.Position)];

    public Task<IReadOnlyList<DeviceListChange>> ListDeviceLists(string[] users, CancellationToken ct) => db.List<DeviceListChange>(
        "SELECT user_id, position, previous FROM device_lists WHERE user_id = ANY(@users)", new { users }, ct);

    /// <summary>Users of this server who share a room with a server, and whose devices changed in (after, upTo]. By the index device_lists_since.</summary>
    public Task<IReadOnlyList<DeviceListChange>> ListDeviceListsFor(string server, long after, long upTo, string own, int limit, CancellationToken ct) =>
        db.List<DeviceListChange>(
        """
        SELECT user_id, position, previous FROM device_lists l
        WHERE position > @after AND position <= @upTo AND right(user_id, length(@own)) = @own AND EXISTS (
            SELECT FROM memberships m JOIN room_servers s ON s.room_nid = m.room_nid AND s.server = @server AND s.joined > 0
            WHERE m.user_id = l.user_id AND m.membership = 'join')
        ORDER BY position LIMIT @limit
        """, new { server, after, upTo, own, limit }, ct);

    /// <summary>The users of this server in rooms, at most so many. By the primary key of memberships.</summary>
    public Task<IReadOnlyList<OwnMember>> ListOwnMembers(long[] rooms, string own, int limit, CancellationToken ct) => db.List<OwnMember>(
        """
        SELECT room_nid, user_id FROM memberships
        WHERE room_nid = ANY(@rooms) AND membership = 'join' AND right(user_id, length(@own)) = @own LIMIT @limit
        """, new { rooms, own, limit }, ct);

    /// <summary>Who shares rooms with users of this server. By memberships_of_user and the primary key of room_servers.</summary>
    public Task<IReadOnlyList<SharingServer>> ListSharing(string[] users, CancellationToken ct) => db.List<SharingServer>(
        """
        SELECT DISTINCT m.user_id, s.server FROM memberships m JOIN room_servers s ON s.room_nid = m.room_nid AND s.joined > 0
        WHERE m.user_id = ANY(@users) AND m.membership = 'join'
        """, new { users }, ct);
}
