using Npgsql;

namespace Matrix.Storage.Keys;

/// <summary>The rooms that a user is in.</summary>
public sealed record RoomsOfUser(string UserId, long[] Rooms);

/// <summary>Where somebody's membership changed.</summary>
public sealed record MemberChange(string UserId, long RoomNid, string Membership);

/// <summary>Whose devices changed, and who shares rooms with whom.</summary>
public sealed class DeviceListStore(NpgsqlDataSource db)
{
    /// <summary>By the index memberships_of_user. Who is in no room is left out.</summary>
    public Task<IReadOnlyList<RoomsOfUser>> ListRooms(string[] users, CancellationToken ct) => db.List<RoomsOfUser>(
        """
        SELECT user_id, array_agg(room_nid) AS rooms FROM memberships
        WHERE user_id = ANY(@users) AND membership = 'join' GROUP BY user_id
        """, new { users }, ct);

    /// <summary>Those of the users who are in the room. By primary key.</summary>
    public Task<IReadOnlyList<string>> ListMembers(long roomNid, string[] among, CancellationToken ct) => db.List<string>(
        "SELECT user_id FROM memberships WHERE room_nid = @roomNid AND user_id = ANY(@among) AND membership = 'join'", new { roomNid, among }, ct);

    /// <summary>The members of rooms, each once.</summary>
    public Task<IReadOnlyList<string>> ListMembers(long[] rooms, CancellationToken ct) => db.List<string>(
        "SELECT DISTINCT user_id FROM memberships WHERE room_nid = ANY(@rooms) AND membership = 'join'", new { rooms }, ct);

    /// <summary>
    /// Users whose devices changed above a position: those who share one of the rooms, the user, and those whose keys the user signed. By the
    /// indexes device_lists_since and key_signatures_since.
    /// </summary>
    public Task<IReadOnlyList<string>> ListChanged(string userId, long[] rooms, long after, CancellationToken ct) => db.List<string>(
        """
        SELECT l.user_id FROM device_lists l
        WHERE l.position > @after AND (l.user_id = @userId OR EXISTS (
            SELECT 1 FROM memberships m WHERE m.user_id = l.user_id AND m.membership = 'join' AND m.room_nid = ANY(@rooms)))
        UNION
        SELECT target FROM key_signatures WHERE signer = @userId AND position > @after
        """, new { userId, rooms, after }, ct);

    /// <summary>
    /// Others whose membership of the rooms changed last in (after, upTo], which may have been no more than another name. By the
    /// indexes memberships_present and memberships_gone.
    /// </summary>
    public Task<IReadOnlyList<MemberChange>> ListMemberChanges(string userId, long[] rooms, long after, long upTo, CancellationToken ct) =>
        db.List<MemberChange>(
        """
        SELECT user_id, room_nid, membership FROM memberships
        WHERE room_nid = ANY(@rooms) AND membership IN ('join', 'invite') AND position > @after AND position <= @upTo AND user_id <> @userId
        UNION ALL
        SELECT user_id, room_nid, membership FROM memberships
        WHERE room_nid = ANY(@rooms) AND membership IN ('leave', 'ban') AND position > @after AND position <= @upTo AND user_id <> @userId
        """, new { userId, rooms, after, upTo }, ct);
}
