using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>
/// Which other servers have joined users in which rooms. This server itself is never among them. Written with the log entry that changes a membership
/// (<c>change_room_servers</c>); who writes many memberships at once calls <c>recount_room_servers</c> in the same change.
/// </summary>
public sealed class RoomServers(NpgsqlDataSource db)
{
    /// <summary>The other servers in a room now, by primary key.</summary>
    public async Task<IReadOnlyList<ServerName>> List(long roomNid, CancellationToken ct) =>
        [.. (await db.List<string>("SELECT server FROM room_servers WHERE room_nid = @roomNid AND joined > 0", new { roomNid }, ct)).Select(server => ServerName.Parse(server))];

    /// <summary>The other servers in a room, those with most users first; of a room that this server has left as it was then. By primary key.</summary>
    public async Task<IReadOnlyList<ServerName>> ListLargest(long roomNid, int limit, CancellationToken ct) => [.. (await db.List<string>(
        "SELECT server FROM room_servers WHERE room_nid = @roomNid AND joined > 0 ORDER BY joined DESC, server LIMIT @limit", new { roomNid, limit }, ct))
        .Select(server => ServerName.Parse(server))];

    /// <summary>Those of the rooms in which the server has joined users. By primary key.</summary>
    public Task<IReadOnlyList<long>> ListPresent(ServerName server, IReadOnlyCollection<long> roomNids, CancellationToken ct) => db.List<long>(
        "SELECT room_nid FROM room_servers WHERE room_nid = ANY(@rooms) AND server = @server AND joined > 0",
        new { rooms = roomNids.ToArray(), server = server.ToString() }, ct);

    /// <summary>Those of the rooms to which users of the server are invited. Looks through the members of those that have invited anybody, by primary key.</summary>
    public Task<IReadOnlyList<long>> ListInvited(ServerName server, IReadOnlyCollection<long> roomNids, CancellationToken ct) => db.List<long>(
        """
        SELECT room_nid FROM room_summaries s WHERE room_nid = ANY(@rooms) AND invited_count > 0
            AND EXISTS (SELECT FROM memberships m WHERE m.room_nid = s.room_nid AND m.membership = 'invite' AND right(m.user_id, length(@suffix)) = @suffix)
        """, new { rooms = roomNids.ToArray(), suffix = $":{server}" }, ct);

    /// <summary>Counts a room's servers from its memberships.</summary>
    public Task<int> Recount(long roomNid, ServerName own, CancellationToken ct) => db.Execute(
        "SELECT recount_room_servers(@roomNid, @own, position) FROM log_head", new { roomNid, own = own.ToString() }, ct);

    /// <summary>Takes another server's word for which servers are in a room whose members are not known yet.</summary>
    public Task<int> Tell(long roomNid, IReadOnlyCollection<string> told, CancellationToken ct) => db.Execute(
        "SELECT tell_room_servers(@roomNid, @told, position) FROM log_head", new { roomNid, told = told.ToArray() }, ct);

    /// <summary>Has the server a joined user in the room? By primary key.</summary>
    public async Task<bool> Contains(long roomNid, ServerName server, CancellationToken ct) => await db.FindOne<int?>(
        "SELECT 1 FROM room_servers WHERE room_nid = @roomNid AND server = @server AND joined > 0", new { roomNid, server = server.ToString() }, ct) is not null;
}
