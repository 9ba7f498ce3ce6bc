using Npgsql;

namespace Matrix.Storage.Push;

/// <summary>A user with pushers who is in a room.</summary>
public sealed record RoomPusherUser(long RoomNid, string UserId);

/// <summary>Somebody after whom a room without a name is called.</summary>
public sealed record RoomHero(string UserId, string? DisplayName);

/// <summary>What pushing has to know of rooms.</summary>
public sealed class PushRoomStore(NpgsqlDataSource db)
{
    /// <summary>The users with pushers who are in the rooms. By the primary key of memberships, from the side of whichever is fewer.</summary>
    public Task<IReadOnlyList<RoomPusherUser>> ListUsers(IReadOnlyCollection<long> roomNids, CancellationToken ct) => db.List<RoomPusherUser>(
        """
        SELECT m.room_nid, m.user_id FROM memberships m
        WHERE m.room_nid = ANY(@roomNids) AND m.membership = 'join' AND m.user_id IN (SELECT user_id FROM pushers)
        """, new { roomNids = roomNids.ToArray() }, ct);

    /// <summary>The first members, and who is invited. By the index memberships_present.</summary>
    public Task<IReadOnlyList<RoomHero>> ListHeroes(long roomNid, int limit, CancellationToken ct) => db.List<RoomHero>(
        """
        SELECT user_id, display_name FROM memberships
        WHERE room_nid = @roomNid AND membership IN ('join', 'invite') ORDER BY position LIMIT @limit
        """, new { roomNid, limit }, ct);
}
