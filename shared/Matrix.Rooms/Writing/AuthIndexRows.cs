using Matrix.Rooms.Resolution;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>Stores places in the auth index with the events that have them.</summary>
static class AuthIndexRows
{
    /// <summary>Violated when another event has gone on the same chain first.</summary>
    public const string PlaceConstraint = "auth_index_place";

    public static void AddInsert(NpgsqlBatch batch, IReadOnlyCollection<AuthPlacement> placements)
    {
        if (placements.Count == 0)
            return;
        var edges = placements.SelectMany(p => p.Cites.Select(cited => (Cited: cited, p.Node.EventNid))).OrderBy(edge => edge).ToArray();
        var command = batch.Add(
            """
            WITH edges AS (
                INSERT INTO auth_edges (auth_nid, event_nid) SELECT * FROM unnest($1, $2)
            )
            INSERT INTO auth_index (event_nid, chain, sequence, base_nid, reach)
            SELECT * FROM unnest($3, $4, $5, $6, $7)
            """,
            edges.Select(edge => edge.Cited).ToArray(), edges.Select(edge => edge.EventNid).ToArray(),
            placements.Select(p => p.Node.EventNid).ToArray(), placements.Select(p => p.Node.Place.Chain).ToArray(),
            placements.Select(p => p.Node.Place.Sequence).ToArray(), placements.Select(p => p.Node.Base?.EventNid).ToArray());
        command.AddBytes([.. placements.Select(p => p.Node.WriteReach())]);
    }

    /// <summary>For events whose place is not known yet.</summary>
    public static void AddBacklog(NpgsqlBatch batch, long roomNid, long[] eventNids)
    {
        if (eventNids.Length > 0)
            batch.Add("INSERT INTO auth_backlog (room_nid, event_nid) SELECT $1, unnest($2) ON CONFLICT DO NOTHING", roomNid, eventNids);
    }
}
