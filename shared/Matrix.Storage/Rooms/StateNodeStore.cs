using Npgsql;
using NpgsqlTypes;

namespace Matrix.Storage.Rooms;

/// <summary>The immutable nodes of all rooms' state trees. They are written with the events that need them, by the log writer.</summary>
public sealed class StateNodeStore(NpgsqlDataSource db)
{
    /// <summary>Reads many nodes in one round trip, by primary key. Nodes that do not exist are left out.</summary>
    public async Task<List<(StateNodeId Id, byte[] Data)>> List(IReadOnlyCollection<StateNodeId> ids, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            SELECT node_id, data FROM state_nodes
            WHERE node_id = ANY($1)
            """);
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = ids.Select(id => id.ToBytes()).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea,
        });
        var nodes = new List<(StateNodeId, byte[])>(ids.Count);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            nodes.Add((StateNodeId.Read(reader.GetFieldValue<byte[]>(0)), reader.GetFieldValue<byte[]>(1)));
        return nodes;
    }
}
