using Matrix.Protocol;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>The relations between events, kept with the events (C-S API, Forming relationships between events).</summary>
static class RelationChanges
{
    /// <summary>What the database raises for a thread on an event that itself relates to another.</summary>
    const string NestedThread = "MX010";

    const string DuplicateAnnotation = "event_relations_annotation";

    /// <summary>The event whose bundled aggregations change with this one, if there is one.</summary>
    public static string? Aggregates(Pdu pdu, StoredEvent? redacted)
    {
        var relation = redacted is not null ? EventRelation.Read(Pdu.FromStored(redacted.EventId, redacted.Json, redacted.Rules))
            : pdu.Redacts is null ? EventRelation.Read(pdu)
            : null;
        // annotations are not aggregated
        return relation is { RelType: EventRelation.Replace or EventRelation.Thread or EventRelation.Reference } ? relation.EventId?.ToString() : null;
    }

    public static void Add(NpgsqlBatch batch, long roomNid, ChainedEvent e, int back, bool isLocal)
    {
        if (e.Redacts is { } redacted)
            batch.Add("SELECT remove_relation($1, $2)", redacted.ToString(), roomNid);
        else if (e.Pdu.Redacts is null && EventRelation.Read(e.Pdu) is { RelType: { } relType, EventId: { } target } relation)
        {
            batch.Add("SELECT add_relation($1, $2, log_position($3), $4, $5, $6, $7, $8, $9, $10, $11)",
                e.EventNid, roomNid, back, target.ToString(), relType.Storable(), e.Pdu.Type, e.Pdu.Sender.ToString(), e.Pdu.OriginServerTs,
                relation.Key.Storable(), isLocal, EventRelation.IsReplacement(e.Pdu));
        }
    }

    /// <summary>The refusal that a failure of the database means, or null.</summary>
    public static RoomException? Refusal(PostgresException e) =>
        e.SqlState == NestedThread ? RoomException.NoThreadHere()
        : e.ConstraintName == DuplicateAnnotation ? RoomException.DuplicateAnnotation()
        : null;
}
