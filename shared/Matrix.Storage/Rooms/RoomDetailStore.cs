using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>A room's summary with what never changes about it, and its current state.</summary>
/// <param name="IsCurrent">False: all of this server have left and others have stayed, who may have changed everything since.</param>
public sealed record RoomDetail(
    long RoomNid, string RoomId, string Version, byte[] StateRoot, int JoinedCount, string? Name, string? Topic, string? AvatarUrl,
    string? CanonicalAlias, string? JoinRule, string? GuestAccess, string? HistoryVisibility, string? Encryption, string? RoomType, bool IsCurrent);

/// <summary>What previews of rooms, spaces and profiles show. Each method is one round trip.</summary>
public sealed class RoomDetailStore(NpgsqlDataSource db)
{
    /// <inheritdoc cref="List"/>
    public async Task<RoomDetail?> Find(RoomId roomId, ServerName own, CancellationToken ct) => await List([roomId.ToString()], own, ct) is [var room, ..] ? room : null;

    /// <summary>Those of the rooms that this server knows.</summary>
    /// <param name="own">This server.</param>
    public Task<IReadOnlyList<RoomDetail>> List(IReadOnlyCollection<string> roomIds, ServerName own, CancellationToken ct) => db.List<RoomDetail>(
        """
        SELECT r.room_nid, r.room_id, r.version, h.state_root, s.joined_count, s.name, s.topic, s.avatar_url, s.canonical_alias, s.join_rule,
            s.guest_access, s.history_visibility, s.encryption, s.room_type,
            NOT EXISTS (SELECT FROM room_servers o WHERE o.room_nid = r.room_nid AND o.joined > 0) OR EXISTS (
                SELECT FROM memberships m WHERE m.room_nid = r.room_nid AND m.membership = 'join' AND right(m.user_id, length(@suffix)) = @suffix) AS is_current
        FROM rooms r JOIN room_summaries s USING (room_nid) JOIN room_heads h USING (room_nid)
        WHERE r.room_id = ANY(@ids)
        """, new { ids = roomIds.ToArray(), suffix = $":{own}" }, ct);

    /// <summary>The rooms that both users are in, by number, and how many there are in all. By the index memberships_of_user and the primary key.</summary>
    public async Task<(IReadOnlyList<SharedRoom> Rooms, int Count)> ListShared(string userId, string otherId, long after, int limit, CancellationToken ct)
    {
        var rooms = await db.List<SharedRoom>(
            """
            WITH shared AS (
                SELECT m.room_nid FROM memberships m JOIN memberships o ON o.room_nid = m.room_nid AND o.user_id = @otherId AND o.membership = 'join'
                WHERE m.user_id = @userId AND m.membership = 'join')
            SELECT s.room_nid, r.room_id, (SELECT count(*) FROM shared)::int AS count FROM shared s JOIN rooms r USING (room_nid)
            WHERE s.room_nid > @after ORDER BY s.room_nid LIMIT @limit
            """, new { userId, otherId, after, limit }, ct);
        return (rooms, rooms.Count > 0 ? rooms[0].Count : 0);
    }
}

/// <param name="Count">Of all shared rooms.</param>
public sealed record SharedRoom(long RoomNid, string RoomId, int Count);
