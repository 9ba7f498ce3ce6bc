using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>What never changes about a room.</summary>
public sealed record Room(long RoomNid, RoomId RoomId, RoomVersionRules Rules);

/// <summary>
/// What the next event of a room is built on. Whoever writes compares <see cref="Version"/>, which grows by one with every change, and swaps.
/// </summary>
/// <param name="Extremities">The events that no other event of the room refers to yet.</param>
/// <param name="Position">The log position of the newest event when the head was read.</param>
public sealed record RoomHead(long Version, IReadOnlyList<EventReference> Extremities, StateNodeId StateRoot, long Depth, long Position)
{
    /// <summary>The members of other servers are not known yet: the state is not the room's whole state.</summary>
    public bool IsPartial { get; init; }
}

public readonly record struct EventReference(long EventNid, EventId EventId);

/// <summary>Rooms and their heads.</summary>
public sealed class RoomStore(NpgsqlDataSource db)
{
    public async Task<Room?> Find(RoomId roomId, CancellationToken ct) => (await FindKnown(roomId, ct))?.Room;

    /// <summary>The room, and whether anything of it is here: of one that a user is only invited to there is nothing but what the inviting server said.</summary>
    public async Task<(Room Room, bool IsBegun)?> FindKnown(RoomId roomId, CancellationToken ct)
    {
        var row = await db.FindOne<KnownRow>(
            """
            SELECT room_nid, room_id, version, EXISTS (SELECT FROM room_heads h WHERE h.room_nid = r.room_nid AND h.extremities <> '{}') AS is_begun FROM rooms r
            WHERE room_id = @roomId
            """, new { roomId = roomId.ToString() }, ct);
        return row is null ? null : (new Row(row.RoomNid, row.RoomId, row.Version).ToRoom(), row.IsBegun);
    }

    /// <summary>The rooms with these numbers that exist, in no particular order.</summary>
    public async Task<IReadOnlyList<Room>> List(IReadOnlyCollection<long> roomNids, CancellationToken ct)
    {
        var rows = await db.List<Row>(
            """
            SELECT room_nid, room_id, version FROM rooms
            WHERE room_nid = ANY(@roomNids)
            """, new { roomNids = roomNids.ToArray() }, ct);
        return [.. rows.Select(r => r.ToRoom())];
    }

    /// <summary>A room of other servers, in which there is nothing yet. Does nothing if the room is here.</summary>
    public Task<int> InsertEmpty(Room room, StateNodeId emptyState, CancellationToken ct) => db.Execute(
        """
        WITH room AS (
            INSERT INTO rooms (room_nid, room_id, version) VALUES (@nid, @id, @version) ON CONFLICT (room_id) DO NOTHING RETURNING room_nid
        ), summary AS (
            INSERT INTO room_summaries (room_nid) SELECT room_nid FROM room
        )
        INSERT INTO room_heads (room_nid, version, extremities, state_root, depth, position) SELECT room_nid, 1, '{}', @root, 0, 0 FROM room
        """, new { nid = room.RoomNid, id = room.RoomId.ToString(), version = room.Rules.Id, root = emptyState.ToBytes() }, ct);

    /// <summary>
    /// Takes its id from a room of which nothing is here, so that it can be made known as what it is. What the users were shown of it stands in a room that
    /// leads nowhere. Only under the lease of the room's joins.
    /// </summary>
    /// <param name="origin">If not null: only if none is invited or knocks there by the word of another server.</param>
    public async Task<bool> Supersede(Room room, RoomId nowhere, ServerName? origin, CancellationToken ct) => await db.Execute(
        """
        UPDATE rooms r SET room_id = @nowhere
        WHERE room_nid = @nid AND NOT EXISTS (SELECT FROM room_heads h WHERE h.room_nid = r.room_nid AND h.extremities <> '{}')
            AND (@origin::text IS NULL OR NOT EXISTS (
                SELECT FROM memberships m WHERE m.room_nid = r.room_nid AND m.membership IN ('invite', 'knock') AND substring(m.sender FROM position(':' IN m.sender) + 1) <> @origin))
        """, new { nid = room.RoomNid, nowhere = nowhere.ToString(), origin = origin?.ToString() }, ct) > 0;

    public async Task<RoomHead?> FindHead(long roomNid, CancellationToken ct) =>
        (await ListHeads([roomNid], ct)).TryGetValue(roomNid, out var head) ? head : null;

    /// <summary>The heads of those of the rooms that exist.</summary>
    public async Task<Dictionary<long, RoomHead>> ListHeads(IReadOnlyCollection<long> roomNids, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            SELECT version, state_root, depth, position, extremities,
                ARRAY(SELECT e.event_id FROM unnest(extremities) WITH ORDINALITY AS x(nid, n) JOIN events e ON e.event_nid = x.nid ORDER BY x.n),
                room_nid, EXISTS (SELECT FROM partial_rooms p WHERE p.room_nid = room_heads.room_nid)
            FROM room_heads
            WHERE room_nid = ANY($1)
            """);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. roomNids] });
        var heads = new Dictionary<long, RoomHead>(roomNids.Count);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var extremities = reader.GetFieldValue<long[]>(4)
                .Zip(reader.GetFieldValue<string[]>(5), (nid, id) => new EventReference(nid, EventId.Parse(id)));
            var root = StateNodeId.Read(reader.GetFieldValue<byte[]>(1));
            heads[reader.GetInt64(6)] = new RoomHead(reader.GetInt64(0), [.. extremities], root, reader.GetInt64(2), reader.GetInt64(3)) { IsPartial = reader.GetBoolean(7) };
        }
        return heads;
    }

    /// <summary>The root of the room's current state, or null if there is no such room. Of a partial room that is the state without the members.</summary>
    public async Task<StateNodeId?> FindStateRoot(long roomNid, CancellationToken ct)
    {
        var root = await db.FindOne<byte[]>("SELECT state_root FROM room_heads WHERE room_nid = @roomNid", new { roomNid }, ct);
        return root is null ? null : StateNodeId.Read(root);
    }

    /// <summary>The root of the room's current state, and whether that is all of it; null if there is no such room.</summary>
    public async Task<(StateNodeId Root, bool IsPartial)?> FindState(long roomNid, CancellationToken ct)
    {
        var row = await db.FindOne<StateRow>(
            """
            SELECT state_root, EXISTS (SELECT FROM partial_rooms p WHERE p.room_nid = h.room_nid) AS is_partial FROM room_heads h WHERE h.room_nid = @roomNid
            """, new { roomNid }, ct);
        return row is null ? null : (StateNodeId.Read(row.StateRoot), row.IsPartial);
    }

    sealed record StateRow(byte[] StateRoot, bool IsPartial);

    sealed record KnownRow(long RoomNid, string RoomId, string Version, bool IsBegun);

    sealed record Row(long RoomNid, string RoomId, string Version)
    {
        public Room ToRoom() => new(RoomNid, Protocol.RoomId.Parse(RoomId),
            RoomVersions.Find(Version) ?? throw new InvalidDataException($"Room {RoomId} has the unknown version {Version}."));
    }
}
