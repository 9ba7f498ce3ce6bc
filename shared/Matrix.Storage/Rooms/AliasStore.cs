using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>An alias of this server, the room that it stands for, and the user who made it.</summary>
public sealed record AliasRow(string Alias, long RoomNid, string Creator);

/// <summary>This server's aliases of rooms.</summary>
public sealed class AliasStore(NpgsqlDataSource db)
{
    public Task<AliasRow?> Find(RoomAlias alias, CancellationToken ct) => db.FindOne<AliasRow>(
        """
        SELECT alias, room_nid, creator FROM room_aliases
        WHERE alias = @alias
        """, new { alias = alias.ToString() }, ct);

    /// <summary>In alphabetical order. Served by room_aliases_room.</summary>
    public Task<IReadOnlyList<string>> List(long roomNid, CancellationToken ct) => db.List<string>(
        """
        SELECT alias FROM room_aliases
        WHERE room_nid = @roomNid ORDER BY alias
        """, new { roomNid }, ct);

    /// <summary>False: the alias is taken.</summary>
    public async Task<bool> Insert(RoomAlias alias, long roomNid, UserId creator, CancellationToken ct) => await db.Execute(
        """
        INSERT INTO room_aliases (alias, room_nid, creator) VALUES (@alias, @roomNid, @creator)
        ON CONFLICT DO NOTHING
        """, new { alias = alias.ToString(), roomNid, creator = creator.ToString() }, ct) == 1;

    /// <summary>Gives all aliases of one room to another.</summary>
    public Task<int> Move(long fromRoomNid, long toRoomNid, CancellationToken ct) => db.Execute(
        "UPDATE room_aliases SET room_nid = @toRoomNid WHERE room_nid = @fromRoomNid", new { fromRoomNid, toRoomNid }, ct);

    public async Task<bool> Delete(RoomAlias alias, CancellationToken ct) =>
        await db.Execute("DELETE FROM room_aliases WHERE alias = @alias", new { alias = alias.ToString() }, ct) == 1;
}
