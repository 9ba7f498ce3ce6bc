using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Joining;

/// <summary>An event that stands in a room's state.</summary>
readonly record struct Standing(long EventNid, ToldEvent Event)
{
    public StateAssignment Assignment => new(Event.Key, EventNid);
}

/// <summary>Stores what another server tells of a room's state, before anything refers to it: in transactions of a thousand rows, outside of the log.</summary>
sealed class BulkState(NpgsqlDataSource db, EventBuilding building)
{
    const int RowsAtOnce = 1000;

    string OwnSuffix => $":{building.Server.ServerName}";

    public bool IsLocal(Standing e) => e.Event.Key.StateKey.EndsWith(OwnSuffix, StringComparison.Ordinal);

    /// <summary>Stores the nodes of a state that differs from another one in these events.</summary>
    public async Task<StateNodeId> StoreTree(StateNodeId from, IEnumerable<StateAssignment> state, CancellationToken ct)
    {
        var update = await building.Tree.Set(from, [.. state], ct);
        foreach (var nodes in update.NewNodes.OrderBy(node => node.Id.Value).Chunk(RowsAtOnce))
        {
            await using var connection = await db.OpenConnectionAsync(ct);
            await using var batch = connection.CreateBatch();
            StateNodeRows.AddInsert(batch, nodes);
            await batch.ExecuteNonQueryAsync(ct);
        }
        return update.Root;
    }

    /// <summary>Of those who were in the room when this server left it, and are not any more, nothing may be left.</summary>
    public Task ForgetAbsent(Room room, IEnumerable<string> present, CancellationToken ct) => db.Execute(
        """
        UPDATE memberships SET membership = 'leave', display_name = NULL, avatar_url = NULL
        WHERE room_nid = @nid AND membership <> 'leave' AND right(user_id, length(@suffix)) <> @suffix AND NOT user_id = ANY(@present)
        """, new { nid = room.RoomNid, suffix = OwnSuffix, present = present.ToArray() }, ct);

    /// <summary>Of a room that nobody here is in any more the events made before its members were known are whole.</summary>
    public async Task EndLeft(PartialRoom partial, StoredEvent join, IReadOnlyDictionary<StateNodeId, StateNodeId> roots, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = connection.CreateBatch();
        batch.Add("SELECT end_partial_room($1, $2)", partial.RoomNid, partial.JoinNid);
        WholeRoomChange.AddStates(batch, join, roots);
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Stores the memberships of other servers' users.</summary>
    public async Task StoreMemberships(Room room, IEnumerable<Standing> members, CancellationToken ct)
    {
        foreach (var some in members.Where(m => m.Event.IsMember && !IsLocal(m)).OrderBy(m => m.Event.Key.StateKey, StringComparer.Ordinal).Chunk(RowsAtOnce))
        {
            await using var connection = await db.OpenConnectionAsync(ct);
            await using var batch = connection.CreateBatch();
            // by depth: the heroes of a room are those who came first
            batch.Add(
                """
                INSERT INTO memberships (room_nid, user_id, membership, event_nid, sender, position, display_name, avatar_url)
                SELECT $1, m.* FROM unnest($2, $3, $4, $5, $6, $7, $8) AS m (user_id, membership, event_nid, sender, position, display_name, avatar_url)
                ON CONFLICT (room_nid, user_id) DO UPDATE SET membership = EXCLUDED.membership, event_nid = EXCLUDED.event_nid, sender = EXCLUDED.sender,
                    position = EXCLUDED.position, display_name = EXCLUDED.display_name, avatar_url = EXCLUDED.avatar_url, forgotten = false
                """,
                room.RoomNid, some.Select(m => m.Event.Key.StateKey).ToArray(), some.Select(m => m.Event.Membership ?? "leave").ToArray(),
                some.Select(m => m.EventNid).ToArray(), some.Select(m => m.Event.Sender).ToArray(),
                some.Select(m => long.MinValue / 2 + Math.Min(m.Event.Depth, 1L << 53)).ToArray(), some.Select(m => m.Event.DisplayName).ToArray(),
                some.Select(m => m.Event.AvatarUrl).ToArray());
            await batch.ExecuteNonQueryAsync(ct);
        }
    }
}
