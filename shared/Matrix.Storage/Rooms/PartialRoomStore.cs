using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>A room whose members are not known yet.</summary>
/// <param name="JoinNid">The event by which this server came in.</param>
/// <param name="ToldBy">Who told the rest of the state.</param>
/// <param name="Attempts">How often the members were asked for in vain.</param>
public sealed record PartialRoom(long RoomNid, long JoinNid, string ToldBy, int Attempts);

/// <summary>Rooms of other servers that were joined without their members. There are few of them, for seconds each: the table is next to empty.</summary>
public sealed class PartialRoomStore(NpgsqlDataSource db)
{
    public Task<IReadOnlyList<long>> List(CancellationToken ct) => db.List<long>("SELECT room_nid FROM partial_rooms", null, ct);

    /// <summary>
    /// Do all programs that use this database know of such rooms? The release before, which may run beside this one, does not where the table came in an upgrade
    /// less than <paramref name="upgrade"/> ago; a new database never had one.
    /// </summary>
    public Task<bool> AreKnownToAll(TimeSpan upgrade, CancellationToken ct) => db.GetOne<bool>(
        "SELECT is_known_to_all('0160_partial_rooms', @upgrade)", new { upgrade }, ct);

    /// <summary>Are the room's members not known yet? By primary key.</summary>
    public async Task<bool> Contains(long roomNid, CancellationToken ct) =>
        await db.FindOne<int?>("SELECT 1 FROM partial_rooms WHERE room_nid = @roomNid", new { roomNid }, ct) is not null;

    /// <summary>Those of the rooms whose members are not known yet.</summary>
    public Task<IReadOnlyList<long>> ListPartial(IReadOnlyCollection<long> roomNids, CancellationToken ct) =>
        db.List<long>("SELECT room_nid FROM partial_rooms WHERE room_nid = ANY(@rooms)", new { rooms = roomNids.ToArray() }, ct);

    /// <summary>Takes rooms that are due, for as long as <paramref name="duration"/> says.</summary>
    public Task<IReadOnlyList<PartialRoom>> Claim(Guid holder, TimeSpan duration, int limit, CancellationToken ct) => db.List<PartialRoom>(
        """
        UPDATE partial_rooms p SET due_at = now() + @duration, holder = @holder
        FROM (SELECT room_nid FROM partial_rooms WHERE due_at <= now() ORDER BY due_at LIMIT @limit FOR UPDATE SKIP LOCKED) AS due
        WHERE p.room_nid = due.room_nid
        RETURNING p.room_nid, p.join_nid, p.told_by, p.attempts
        """, new { holder, duration, limit }, ct);

    /// <summary>Goes on holding all rooms of this holder.</summary>
    public Task<int> Renew(Guid holder, TimeSpan duration, CancellationToken ct) => db.Execute(
        "UPDATE partial_rooms SET due_at = now() + @duration WHERE holder = @holder", new { holder, duration }, ct);

    /// <summary>Gives the room back until later.</summary>
    public Task<int> Postpone(PartialRoom room, Guid holder, TimeSpan pause, CancellationToken ct) => db.Execute(
        "UPDATE partial_rooms SET due_at = now() + @pause, holder = NULL, attempts = attempts + 1 WHERE room_nid = @RoomNid AND join_nid = @JoinNid AND holder = @holder",
        new { room.RoomNid, room.JoinNid, holder, pause }, ct);

    /// <summary>Gives the room to whoever wants it.</summary>
    public Task<int> Release(PartialRoom room, Guid holder, CancellationToken ct) => db.Execute(
        "UPDATE partial_rooms SET due_at = now(), holder = NULL WHERE room_nid = @RoomNid AND holder = @holder", new { room.RoomNid, holder }, ct);

    /// <summary>Are the members of this very join still asked for?</summary>
    public async Task<bool> Contains(PartialRoom room, CancellationToken ct) => await db.FindOne<int?>(
        "SELECT 1 FROM partial_rooms WHERE room_nid = @RoomNid AND join_nid = @JoinNid", new { room.RoomNid, room.JoinNid }, ct) is not null;

    /// <summary>Nobody of this server is in the room any more, and nobody tells its members: the events that were made meanwhile stay half known.</summary>
    public Task<bool> Abandon(PartialRoom room, CancellationToken ct) =>
        db.GetOne<bool>("SELECT abandon_partial_room(@RoomNid, @JoinNid)", new { room.RoomNid, room.JoinNid }, ct);
}
