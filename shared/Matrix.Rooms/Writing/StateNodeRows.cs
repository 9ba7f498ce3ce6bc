using Matrix.Rooms.State;
using Matrix.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Matrix.Rooms.Writing;

/// <summary>Stores nodes of state trees with what names their root.</summary>
static class StateNodeRows
{
    /// <summary>In order of id, as all writers do: two that store the same ones do not wait for each other in a circle.</summary>
    public static void AddInsert(NpgsqlBatch batch, IReadOnlyCollection<StateNode> nodes)
    {
        if (nodes.Count == 0)
            return;
        var ordered = nodes.OrderBy(n => n.Id.Value).ToArray();
        var command = batch.Add(
            """
            INSERT INTO state_nodes (node_id, data)
            SELECT * FROM unnest($1, $2)
            ON CONFLICT DO NOTHING
            """);
        command.AddBytes([.. ordered.Select(n => n.Id.ToBytes())]);
        command.AddBytes([.. ordered.Select(n => n.Data.ToArray())]);
    }

    /// <summary>Adds an array of bytea as the next parameter.</summary>
    public static void AddBytes(this NpgsqlBatchCommand command, byte[][] values) => command.Parameters.Add(
        new NpgsqlParameter { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
}
