using Npgsql;

namespace Matrix.Storage.Federation;

/// <summary>A server in a room, and for which positions.</summary>
/// <param name="Since">Events up to here are not for it.</param>
/// <param name="LeftAt">Events after this are not for it; null: it is there.</param>
public sealed record RoomServer(long RoomNid, string Server, long Since, long? LeftAt);

/// <summary>An event that this server has to send to others.</summary>
/// <param name="Json">Canonical JSON as it was signed, without event_id.</param>
public sealed record OutgoingEvent(
    long EventNid, string EventId, long RoomNid, string Version, long Position, string Sender, string Type, string? StateKey, byte[] Json, long? RedactedBy);

/// <summary>
/// The events that this server has to send: those of its own users, but for those that came from others (<c>told_events</c>), and those that it relays
/// (<c>relayed_events</c>).
/// </summary>
public sealed class OutgoingEventStore(NpgsqlDataSource db)
{
    const string Columns = "e.event_nid, e.event_id, e.room_nid, r.version, e.position, e.sender, e.type, e.state_key, e.json, e.redacted_by";

    const string IsOurs =
        """
        (right(e.sender, length(@own)) = @own AND NOT EXISTS (SELECT FROM told_events x WHERE x.event_nid = e.event_nid)
            OR EXISTS (SELECT FROM relayed_events x WHERE x.event_nid = e.event_nid))
        """;

    const string Event = "e.event_nid, e.event_id, e.room_nid, e.position, e.sender, e.type, e.state_key, e.json, e.redacted_by";

    const string TurnedAway =
        $"""
        SELECT {Event} FROM turned_away t JOIN events e ON e.event_nid = t.event_nid
        WHERE t.server = @server AND t.position > @after AND t.position <= @upTo AND NOT EXISTS (
            SELECT FROM room_servers s WHERE s.room_nid = e.room_nid AND s.server = t.server AND e.position > s.since AND (s.left_at IS NULL OR e.position <= s.left_at))
        """;

    const string IsForIt =
        $"e.position > greatest(@after, s.since) AND e.position <= least(@upTo, s.left_at) AND {IsOurs} AND right(e.sender, length(@server) + 1) <> ':' || @server";

    /// <summary>
    /// Events of one destination in (after, upTo]: in each of its rooms, for as long as it was there, by the index events_timeline; and those by which its
    /// users were turned away from others (<c>turned_away</c>).
    /// </summary>
    const string Pending =
        $"""
        SELECT {Event} FROM room_servers s JOIN room_heads h ON h.room_nid = s.room_nid AND h.position > @after
        JOIN events e ON e.room_nid = s.room_nid AND {IsForIt}
        WHERE s.server = @server
        UNION ALL {TurnedAway}
        """;

    /// <summary>The same, of each room the oldest alone.</summary>
    const string OldestPending =
        $"""
        SELECT o.* FROM room_servers s JOIN room_heads h ON h.room_nid = s.room_nid AND h.position > @after
        CROSS JOIN LATERAL (SELECT {Event} FROM events e WHERE e.room_nid = s.room_nid AND {IsForIt} ORDER BY e.position LIMIT @limit) o
        WHERE s.server = @server
        UNION ALL {TurnedAway}
        """;

    /// <summary>The servers in rooms now, and those that left after a position. By primary key.</summary>
    public Task<IReadOnlyList<RoomServer>> ListServers(long[] rooms, long after, CancellationToken ct) => db.List<RoomServer>(
        """
        SELECT room_nid, server, since, left_at FROM room_servers
        WHERE room_nid = ANY(@rooms) AND (joined > 0 OR left_at > @after)
        """, new { rooms, after }, ct);

    /// <summary>Those of the events that are this server's to send, in order.</summary>
    public Task<IReadOnlyList<OutgoingEvent>> List(long[] events, string own, CancellationToken ct) => db.List<OutgoingEvent>(
        $"""
        SELECT {Columns} FROM events e JOIN rooms r USING (room_nid)
        WHERE e.event_nid = ANY(@events) AND e.position IS NOT NULL AND {IsOurs} ORDER BY e.position
        """, new { events, own }, ct);

    /// <summary>How many events wait for a destination, counted up to a limit.</summary>
    public Task<long> CountPending(string server, long after, long upTo, string own, int limit, CancellationToken ct) => db.GetOne<long>(
        $"""
        SELECT count(*) FROM (SELECT FROM ({Pending}) AS e LIMIT @limit) AS counted
        """, new { server, after, upTo, own, limit }, ct);

    /// <summary>The oldest events that wait for a destination, in order: of each room no more are read than are wanted in all, however many wait there.</summary>
    public Task<IReadOnlyList<OutgoingEvent>> ListPending(string server, long after, long upTo, string own, int limit, CancellationToken ct) =>
        db.List<OutgoingEvent>(
        $"""
        SELECT {Columns} FROM ({OldestPending}) AS e JOIN rooms r ON r.room_nid = e.room_nid ORDER BY e.position LIMIT @limit
        """, new { server, after, upTo, own, limit }, ct);

    /// <summary>Of each room the newest event that waits for a destination, in order: the oldest of these.</summary>
    public Task<IReadOnlyList<OutgoingEvent>> ListNewestPending(string server, long after, long upTo, string own, int limit, CancellationToken ct) =>
        db.List<OutgoingEvent>(
        $"""
        SELECT {Columns} FROM (
            SELECT e.room_nid, max(e.position) AS newest FROM ({Pending}) AS e GROUP BY e.room_nid ORDER BY newest LIMIT @limit) n
        JOIN events e ON e.room_nid = n.room_nid AND e.position = n.newest JOIN rooms r ON r.room_nid = e.room_nid ORDER BY e.position
        """, new { server, after, upTo, own, limit }, ct);
}
