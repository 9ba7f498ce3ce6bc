using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>A user's current membership of a room.</summary>
/// <param name="Membership">join, invite, knock, leave or ban.</param>
/// <param name="Sender">Who made it so: differs from the user in an invite, a kick, a ban.</param>
/// <param name="Position">The log position of the member event.</param>
/// <param name="Forgotten">Has the user, having left, asked not to see the room any more?</param>
public sealed record MembershipRow(
    long RoomNid, string UserId, string Membership, long EventNid, string Sender, long Position, string? DisplayName, string? AvatarUrl, bool Forgotten);

/// <summary>Where a user of this server stands to a room, and what member events show of the user.</summary>
/// <param name="RoomNid">Null: this server knows no such room.</param>
/// <param name="IsResident">Is somebody of this server in the room? If not, what is known of its state may be old, or nothing.</param>
/// <param name="Membership">Of the user; null: there never was one.</param>
/// <param name="Sender">Who made it so.</param>
/// <param name="Server">Of a room that this server is not in: by which server the user was invited or knocks.</param>
/// <param name="HasAccount">Is there such a user, who has not been deactivated?</param>
public sealed record RoomStanding(
    long? RoomNid, bool IsResident, string? Membership, string? Sender, long? EventNid, string? Server, bool HasAccount, string? DisplayName, string? AvatarUrl);

/// <summary>Current memberships, one row for each (room, user) that ever had one. Written by the log writer with the member event.</summary>
public sealed class MembershipStore(NpgsqlDataSource db)
{
    const string Columns = "room_nid, user_id, membership, event_nid, sender, position, display_name, avatar_url, forgotten";

    public Task<MembershipRow?> Find(long roomNid, UserId userId, CancellationToken ct) => db.FindOne<MembershipRow>(
        $"""
        SELECT {Columns} FROM memberships
        WHERE room_nid = @roomNid AND user_id = @userId
        """, new { roomNid, userId = userId.ToString() }, ct);

    /// <summary>The rooms in which the user has one of these memberships. Served by memberships_of_user.</summary>
    public Task<IReadOnlyList<MembershipRow>> ListOfUser(UserId userId, IReadOnlyCollection<string> memberships, CancellationToken ct) =>
        db.List<MembershipRow>(
            $"""
            SELECT {Columns} FROM memberships
            WHERE user_id = @userId AND membership = ANY(@memberships)
            """, new { userId = userId.ToString(), memberships = memberships.ToArray() }, ct);

    /// <summary>The users that have one of these memberships of the room, in no particular order. Served by the primary key.</summary>
    public Task<IReadOnlyList<MembershipRow>> ListInRoom(long roomNid, IReadOnlyCollection<string> memberships, CancellationToken ct) =>
        db.List<MembershipRow>(
            $"""
            SELECT {Columns} FROM memberships
            WHERE room_nid = @roomNid AND membership = ANY(@memberships)
            """, new { roomNid, memberships = memberships.ToArray() }, ct);

    /// <summary>By the unique key of room ids and the primary keys.</summary>
    public async Task<RoomStanding> FindStanding(RoomId roomId, UserId userId, CancellationToken ct) => await db.GetOne<RoomStanding>(
        """
        SELECT r.room_nid, r.room_nid IS NOT NULL AND EXISTS (
                SELECT FROM memberships j
                WHERE j.room_nid = r.room_nid AND j.membership = 'join' AND right(j.user_id, length(@suffix)) = @suffix) AS is_resident,
            m.membership, m.sender, m.event_nid, s.server, u.user_id IS NOT NULL AND u.deactivated_at IS NULL AS has_account, u.display_name, u.avatar_url
        FROM (VALUES (1)) one
        LEFT JOIN users u ON u.user_id = @userId
        LEFT JOIN rooms r ON r.room_id = @roomId
        LEFT JOIN memberships m ON m.room_nid = r.room_nid AND m.user_id = @userId
        LEFT JOIN stripped_states s ON s.room_nid = r.room_nid AND s.user_id = @userId
        """, new { roomId = roomId.ToString(), userId = userId.ToString(), suffix = $":{userId.Server}" }, ct);

    /// <summary>Those who have ever had a membership of the room and are of this server.</summary>
    public Task<IReadOnlyList<MembershipRow>> ListOf(long roomNid, ServerName server, CancellationToken ct) => db.List<MembershipRow>(
        $"""
        SELECT {Columns} FROM memberships
        WHERE room_nid = @roomNid AND right(user_id, length(@suffix)) = @suffix
        """, new { roomNid, suffix = $":{server}" }, ct);

    /// <summary>Is somebody of this server in the room?</summary>
    public async Task<bool> IsResident(long roomNid, ServerName server, CancellationToken ct) => await FindJoinedOf(roomNid, server, ct) is not null;

    /// <summary>Some member of the room who is of this server, or null.</summary>
    public async Task<UserId?> FindJoinedOf(long roomNid, ServerName server, CancellationToken ct)
    {
        var userId = await db.FindOne<string>(
            """
            SELECT user_id FROM memberships
            WHERE room_nid = @roomNid AND membership = 'join' AND right(user_id, length(@suffix)) = @suffix
            LIMIT 1
            """, new { roomNid, suffix = $":{server}" }, ct);
        return userId is null ? null : UserId.Parse(userId);
    }

    /// <summary>The guests of this server who are in the room.</summary>
    public Task<IReadOnlyList<string>> ListGuests(long roomNid, CancellationToken ct) => db.List<string>(
        """
        SELECT m.user_id FROM users u JOIN memberships m ON m.room_nid = @roomNid AND m.user_id = u.user_id
        WHERE u.is_guest AND m.membership = 'join'
        """, new { roomNid }, ct);

    /// <summary>Hides a room that the user has left or was banned from. False: the user is not out of it.</summary>
    public async Task<bool> Forget(long roomNid, UserId userId, CancellationToken ct) => await db.Execute(
        """
        UPDATE memberships SET forgotten = true
        WHERE room_nid = @roomNid AND user_id = @userId AND membership IN ('leave', 'ban')
        """, new { roomNid, userId = userId.ToString() }, ct) == 1;
}
