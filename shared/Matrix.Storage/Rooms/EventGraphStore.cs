using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>
/// Walks along prev events. Each walk is one statement that stops at its limit, by the primary key of event_edges and the unique key of event ids; outliers
/// have no place in the graph.
/// </summary>
public sealed class EventGraphStore(NpgsqlDataSource db)
{
    /// <summary>These events and those before them, the nearest first.</summary>
    public Task<IReadOnlyList<long>> ListBefore(long roomNid, IReadOnlyCollection<EventId> from, int limit, CancellationToken ct) => db.List<long>(
        """
        WITH RECURSIVE walk AS (
            SELECT event_nid FROM events WHERE event_id = ANY(@from) AND room_nid = @roomNid AND state_before IS NOT NULL
            UNION
            SELECT p.event_nid FROM walk w JOIN event_edges x ON x.event_nid = w.event_nid
            JOIN events p ON p.event_id = x.prev_event_id AND p.room_nid = @roomNid AND p.state_before IS NOT NULL
        )
        SELECT event_nid FROM walk LIMIT @limit
        """, new { roomNid, from = Text(from), limit }, ct);

    /// <summary>What lies before the latest events and not before the earliest; neither of them among it. The nearest to the latest first.</summary>
    public Task<IReadOnlyList<long>> ListBetween(
        long roomNid, IReadOnlyCollection<EventId> earliest, IReadOnlyCollection<EventId> latest, long minDepth, int limit, CancellationToken ct) => db.List<long>(
        """
        WITH RECURSIVE walk AS (
            SELECT p.event_nid, p.event_id FROM events e JOIN event_edges x USING (event_nid)
            JOIN events p ON p.event_id = x.prev_event_id AND p.room_nid = @roomNid AND p.state_before IS NOT NULL
            WHERE e.event_id = ANY(@latest) AND e.room_nid = @roomNid AND p.event_id <> ALL(@earliest) AND p.depth >= @minDepth
            UNION
            SELECT p.event_nid, p.event_id FROM walk w JOIN event_edges x ON x.event_nid = w.event_nid
            JOIN events p ON p.event_id = x.prev_event_id AND p.room_nid = @roomNid AND p.state_before IS NOT NULL
            WHERE p.event_id <> ALL(@earliest) AND p.depth >= @minDepth
        )
        SELECT event_nid FROM walk WHERE event_id <> ALL(@latest) LIMIT @limit
        """, new { roomNid, earliest = Text(earliest), latest = Text(latest), minDepth, limit }, ct);

    /// <summary>The ids of these events, in no particular order.</summary>
    public Task<IReadOnlyList<string>> ListIds(IReadOnlyCollection<long> eventNids, CancellationToken ct) =>
        db.List<string>("SELECT event_id FROM events WHERE event_nid = ANY(@nids)", new { nids = eventNids.ToArray() }, ct);

    static string[] Text(IReadOnlyCollection<EventId> ids) => [.. ids.Select(id => id.ToString())];
}
