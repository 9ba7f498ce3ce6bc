using Npgsql;

namespace Matrix.Storage.Sync;

/// <summary>Names a connection: what the client calls it, of one device.</summary>
public sealed record ConnectionKey(string UserId, string DeviceId, string ConnId);

/// <summary>A room in a user's list.</summary>
/// <param name="Position">Of the user's newest membership event.</param>
/// <param name="Activity">Of the newest event in the room.</param>
public sealed record ListedRoom(
    long RoomNid, string RoomId, string Membership, long EventNid, long Position, long Activity, bool Encrypted, string? RoomType);

/// <param name="Encrypted">It has an m.room.encryption event.</param>
public sealed record ListedRoomKind(long RoomNid, bool Encrypted, string? RoomType);

/// <summary>The newest event of a kind that moves a room up in lists.</summary>
public sealed record RoomBump(long RoomNid, long Position);

/// <summary>
/// Sliding sync's own tables, and what its lists are made of. Connections are written without waiting for the disk: a server that crashes may lose the
/// newest, and their clients begin afresh.
/// </summary>
public sealed class SlidingStore(NpgsqlDataSource db)
{
    /// <summary>The state with this version; null: it is gone, or never was.</summary>
    public Task<byte[]?> Find(ConnectionKey key, long version, CancellationToken ct) => db.FindOne<byte[]>(
        """
        WITH found AS (
            SELECT state, used_at FROM sliding_connections
            WHERE user_id = @UserId AND device_id = @DeviceId AND conn_id = @ConnId AND version = @version
        ), used AS (
            UPDATE sliding_connections c SET used_at = now() FROM found
            WHERE found.used_at < now() - interval '1 day' AND c.user_id = @UserId AND c.device_id = @DeviceId AND c.conn_id = @ConnId
        )
        SELECT state FROM found
        """, new { key.UserId, key.DeviceId, key.ConnId, version }, ct);

    /// <summary>Begins a connection. An older one of the same name ends, and of those with other names all but the newest <paramref name="others"/>.</summary>
    public Task Begin(ConnectionKey key, long version, byte[] state, int others, CancellationToken ct) => db.Execute(
        """
        WITH quick AS (
            SELECT set_config('synchronous_commit', 'off', true)
        ), kept AS (
            SELECT conn_id FROM sliding_connections WHERE user_id = @UserId AND device_id = @DeviceId AND conn_id <> @ConnId
            GROUP BY conn_id ORDER BY max(used_at) DESC LIMIT @others
        ), replaced AS (
            DELETE FROM sliding_connections
            WHERE user_id = @UserId AND device_id = @DeviceId AND conn_id NOT IN (SELECT conn_id FROM kept)
        )
        INSERT INTO sliding_connections (user_id, device_id, conn_id, version, state)
        SELECT @UserId, @DeviceId, @ConnId, @version, @state FROM quick
        """, new { key.UserId, key.DeviceId, key.ConnId, version, state, others }, ct);

    /// <summary>Ends connections that nobody has used for 30 days, as far as there are. By the index sliding_connections_used.</summary>
    public Task DeleteUnused(int most, CancellationToken ct) => db.Execute(
        """
        DELETE FROM sliding_connections WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM sliding_connections WHERE used_at < now() - interval '30 days' LIMIT @most FOR UPDATE SKIP LOCKED))
        """, new { most }, ct);

    /// <summary>
    /// Stores what follows on the version that the client showed to have, and drops everything else. False: that version is gone.
    /// </summary>
    public async Task<bool> Advance(ConnectionKey key, long from, long to, byte[] state, CancellationToken ct) => await db.Execute(
        """
        WITH quick AS (
            SELECT set_config('synchronous_commit', 'off', true)
        ), base AS (
            SELECT version FROM sliding_connections
            WHERE user_id = @UserId AND device_id = @DeviceId AND conn_id = @ConnId AND version = @from FOR UPDATE
        ), dropped AS (
            DELETE FROM sliding_connections
            WHERE user_id = @UserId AND device_id = @DeviceId AND conn_id = @ConnId AND version <> @from AND EXISTS (SELECT FROM base)
        )
        INSERT INTO sliding_connections (user_id, device_id, conn_id, version, state)
        SELECT @UserId, @DeviceId, @ConnId, @to, @state FROM base, quick
        """, new { key.UserId, key.DeviceId, key.ConnId, from, to, state }, ct) == 1;

    /// <summary>
    /// Every room of a user's list: those the user is in, invited to or knocking at, and those the user was put out of and has not forgotten.
    /// By the index memberships_of_user.
    /// </summary>
    public Task<IReadOnlyList<ListedRoom>> ListRooms(string userId, CancellationToken ct) => db.List<ListedRoom>(
        """
        SELECT m.room_nid, r.room_id, m.membership, m.event_nid, m.position,
            CASE WHEN m.membership = 'join' THEN greatest(h.position, m.position) ELSE m.position END AS activity,
            s.encryption IS NOT NULL AS encrypted, s.room_type
        FROM memberships m JOIN rooms r USING (room_nid) LEFT JOIN room_heads h USING (room_nid) LEFT JOIN room_summaries s USING (room_nid)
        WHERE m.user_id = @userId AND NOT m.forgotten AND (m.membership IN ('join', 'invite', 'knock')
            OR (m.membership = 'ban' OR m.membership = 'leave' AND m.sender <> m.user_id) AND EXISTS (
                SELECT FROM events e WHERE e.type = 'm.room.member' AND e.state_key = m.user_id AND e.room_nid = m.room_nid
                    AND e.position < m.position AND position('"membership":"join"'::bytea IN e.json) > 0))
        """, new { userId }, ct);

    /// <summary>The same of rooms that the user is no longer in, for a client that has them.</summary>
    public Task<IReadOnlyList<UserMembership>> ListMemberships(string userId, long[] rooms, CancellationToken ct) => db.List<UserMembership>(
        """
        SELECT m.room_nid, r.room_id, m.membership, m.event_nid, m.position
        FROM memberships m JOIN rooms r USING (room_nid)
        WHERE m.user_id = @userId AND m.room_nid = ANY(@rooms)
        """, new { userId, rooms }, ct);

    /// <summary>What filters look at. By the primary key.</summary>
    public Task<IReadOnlyList<ListedRoomKind>> ListKinds(long[] rooms, CancellationToken ct) => db.List<ListedRoomKind>(
        "SELECT room_nid, encryption IS NOT NULL AS encrypted, room_type FROM room_summaries WHERE room_nid = ANY(@rooms)", new { rooms }, ct);

    /// <summary>Of each room the newest event of these types among the newest <paramref name="look"/>. By the index events_timeline.</summary>
    public Task<IReadOnlyList<RoomBump>> ListBumps(long[] rooms, string[] types, int look, CancellationToken ct) => db.List<RoomBump>(
        """
        SELECT r.nid AS room_nid, coalesce(
            (SELECT e.position FROM (
                SELECT position, type FROM events WHERE room_nid = r.nid AND position IS NOT NULL ORDER BY position DESC LIMIT @look) e
                WHERE e.type = ANY(@types) ORDER BY e.position DESC LIMIT 1),
            (SELECT min(e.position) FROM (
                SELECT position FROM events WHERE room_nid = r.nid AND position IS NOT NULL ORDER BY position DESC LIMIT @look) e),
            0) AS position
        FROM unnest(@rooms) AS r (nid)
        """, new { rooms, types, look }, ct);

    /// <summary>The user's direct chats and the tags of the user's rooms: account data of the types m.direct and m.tag.</summary>
    public Task<IReadOnlyList<AccountDataItem>> ListLabels(string userId, CancellationToken ct) => db.List<AccountDataItem>(
        """
        SELECT room_id, type, content, position FROM account_data
        WHERE user_id = @userId AND (type = 'm.tag' OR room_id = '' AND type = 'm.direct')
        """, new { userId }, ct);

    /// <summary>All account data of rooms. By the primary key.</summary>
    public Task<IReadOnlyList<AccountDataItem>> ListRoomAccountData(string userId, string[] rooms, CancellationToken ct) => db.List<AccountDataItem>(
        "SELECT room_id, type, content, position FROM account_data WHERE user_id = @userId AND room_id = ANY(@rooms)", new { userId, rooms }, ct);

    /// <summary>Those of the rooms in which the user has read on. By the primary key of receipts.</summary>
    public Task<IReadOnlyList<long>> ListRead(string userId, long[] rooms, long after, long upTo, CancellationToken ct) => db.List<long>(
        """
        SELECT DISTINCT room_nid FROM receipts
        WHERE room_nid = ANY(@rooms) AND user_id = @userId AND position > @after AND position <= @upTo
        """, new { userId, rooms, after, upTo }, ct);

    /// <summary>Receipts of rooms that stand at one of these events, and the user's own.</summary>
    public Task<IReadOnlyList<Receipt>> ListReceipts(long[] rooms, string[] events, long upTo, string userId, CancellationToken ct) => db.List<Receipt>(
        """
        SELECT room_nid, user_id, receipt_type, thread_id, event_id, ts, position FROM receipts
        WHERE room_nid = ANY(@rooms) AND position <= @upTo AND (user_id = @userId OR receipt_type <> 'm.read.private' AND event_id = ANY(@events))
        """, new { rooms, events, upTo, userId }, ct);
}
