using Npgsql;

namespace Matrix.Storage.Sync;

/// <summary>An event that others may relate to.</summary>
public readonly record struct RelationTarget(long RoomNid, string EventId, string Type, string Sender);

/// <summary>What relates to an event, as far as servers aggregate it.</summary>
/// <param name="Edit">event_nid of the newest valid replacement; 0 for none.</param>
/// <param name="References">Those that refer to it, oldest first.</param>
public sealed record AggregationRow(RelationTarget Target, long Edit, ThreadRow? Thread, IReadOnlyList<ReferenceRow> References);

/// <param name="Latest">event_nid of the newest event of the thread.</param>
/// <param name="Participants">Everybody who sent one.</param>
public sealed record ThreadRow(int Count, long Latest, long LatestPosition, string LatestSender, string[] Participants);

/// <summary>An event that relates to another by <c>m.reference</c>.</summary>
public readonly record struct ReferenceRow(string EventId, string Sender, long Position);

/// <summary>Which events are asked for that relate to an event.</summary>
/// <param name="RelType">Null: all.</param>
/// <param name="Type">Null: all.</param>
/// <param name="Depth">How many relations away they may be.</param>
public sealed record RelationQuery(
    long RoomNid, string EventId, string? RelType, string? Type, int Depth, long After, long UpTo, bool Forwards, int Limit);

/// <summary>Reads how events relate to each other. Written with the events, by <c>add_relation</c>.</summary>
public sealed class RelationStore(NpgsqlDataSource db)
{
    const int MostReferences = 200;

    /// <summary>What relates to these events; those to which nothing does are left out. By the index event_relations_target, one probe each.</summary>
    public async Task<IReadOnlyList<AggregationRow>> ListAggregations(IReadOnlyList<RelationTarget> targets, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            $"""
            SELECT t.n::int,
                coalesce((SELECT r.event_nid FROM event_relations r JOIN events e USING (event_nid)
                    WHERE r.room_nid = t.room AND r.target = t.id AND r.rel_type = 'm.replace' AND r.sender = t.sender AND r.type = t.type AND r.has_new_content
                        AND NOT EXISTS (SELECT FROM event_relations o JOIN events x USING (event_nid) WHERE x.event_id = t.id AND o.rel_type = 'm.replace')
                    ORDER BY r.ts DESC, e.event_id DESC LIMIT 1), 0) AS edit,
                h.count, l.event_nid, l.position, l.sender,
                CASE WHEN h.root IS NOT NULL THEN ARRAY(SELECT DISTINCT r.sender FROM event_relations r
                    WHERE r.room_nid = t.room AND r.target = t.id AND r.rel_type = 'm.thread') END AS participants,
                f.ids, f.senders, f.positions
            FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS t (room, id, type, sender, n)
            LEFT JOIN threads h ON h.room_nid = t.room AND h.root = t.id
            LEFT JOIN LATERAL (
                SELECT r.event_nid, r.position, r.sender FROM event_relations r
                WHERE h.root IS NOT NULL AND r.room_nid = t.room AND r.target = t.id AND r.rel_type = 'm.thread'
                ORDER BY r.position DESC LIMIT 1) l ON true
            LEFT JOIN LATERAL (
                SELECT array_agg(e.event_id ORDER BY r.position) AS ids, array_agg(r.sender ORDER BY r.position) AS senders,
                    array_agg(r.position ORDER BY r.position) AS positions
                FROM (SELECT event_nid, sender, position FROM event_relations
                    WHERE room_nid = t.room AND target = t.id AND rel_type = 'm.reference' ORDER BY position LIMIT {MostReferences}) r
                JOIN events e USING (event_nid)) f ON true
            WHERE EXISTS (SELECT FROM event_relations r WHERE r.room_nid = t.room AND r.target = t.id)
            """);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. targets.Select(t => t.RoomNid)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. targets.Select(t => t.EventId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. targets.Select(t => t.Type)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. targets.Select(t => t.Sender)] });
        var rows = new List<AggregationRow>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            rows.Add(new AggregationRow(targets[reader.GetInt32(0) - 1], reader.GetInt64(1), Thread(reader), References(reader)));
        return rows;
    }

    /// <summary>A thread as somebody sees it who ignores some of its senders, or sees parts of the room alone: between the bounds, both included.</summary>
    public Task<ThreadRow?> FindThread(RelationTarget root, string[] ignored, long[] from, long[] to, CancellationToken ct) => db.FindOne<ThreadRow>(
        """
        SELECT count(*) OVER ()::int AS count, r.event_nid AS latest, r.position AS latest_position, r.sender AS latest_sender, '{}'::text[] AS participants
        FROM event_relations r
        WHERE r.room_nid = @RoomNid AND r.target = @EventId AND r.rel_type = 'm.thread' AND r.sender <> ALL(@ignored)
            AND EXISTS (SELECT FROM unnest(@from, @to) AS s (a, b) WHERE r.position BETWEEN s.a AND s.b)
        ORDER BY r.position DESC LIMIT 1
        """, new { root.RoomNid, root.EventId, ignored, from, to }, ct);

    /// <summary>The events that relate to an event, in the order of reading.</summary>
    public async Task<IReadOnlyList<TimelinePlace>> List(RelationQuery query, CancellationToken ct) => await db.List<TimelinePlace>(
        $"""
        {(query.Depth > 1 ? Tree : Children)}
        SELECT @RoomNid AS room_nid, event_nid, position FROM found
        WHERE position > @After AND position <= @UpTo
        ORDER BY position {(query.Forwards ? "" : "DESC")} LIMIT @Limit
        """, query, ct);

    /// <summary>The roots of a room's threads, those with the newest events first, of which the newest is below a position. By the index threads_newest.</summary>
    /// <param name="participant">Only those that this user began or wrote in; so many threads are looked at and no more.</param>
    public Task<IReadOnlyList<ThreadPlace>> ListThreads(long room, long before, string? participant, int limit, CancellationToken ct) =>
        db.List<ThreadPlace>(
        """
        SELECT t.position, e.event_nid,
            @participant::text IS NULL OR e.sender = @participant OR EXISTS (SELECT FROM event_relations r
                WHERE r.room_nid = t.room_nid AND r.target = t.root AND r.rel_type = 'm.thread' AND r.sender = @participant) AS participated
        FROM (SELECT * FROM threads WHERE room_nid = @room AND position < @before ORDER BY position DESC LIMIT @limit) t
        LEFT JOIN events e ON e.event_id = t.root AND e.room_nid = t.room_nid AND e.position IS NOT NULL
        ORDER BY t.position DESC
        """, new { room, before, participant, limit }, ct);

    const string Children =
        """
        WITH found AS (
            SELECT event_nid, position FROM event_relations
            WHERE room_nid = @RoomNid AND target = @EventId AND (@RelType::text IS NULL OR rel_type = @RelType) AND (@Type::text IS NULL OR type = @Type))
        """;

    // What stands between must match, too (Relationships API). Of a whole thread the index event_relations_root knows the order.
    const string Tree =
        """
        WITH RECURSIVE top AS (
            SELECT NOT EXISTS (SELECT FROM events e JOIN event_relations r USING (event_nid) WHERE e.event_id = @EventId)
                AND @RelType::text IS NULL AND @Type::text IS NULL AS is_root),
        tree AS (
            SELECT event_nid, position, 1 AS level FROM event_relations
            WHERE NOT (SELECT is_root FROM top) AND room_nid = @RoomNid AND target = @EventId
                AND (@RelType::text IS NULL OR rel_type = @RelType) AND (@Type::text IS NULL OR type = @Type)
            UNION ALL
            SELECT c.event_nid, c.position, t.level + 1 FROM tree t JOIN events e ON e.event_nid = t.event_nid
            JOIN event_relations c ON c.room_nid = @RoomNid AND c.target = e.event_id
            WHERE t.level < @Depth AND (@RelType::text IS NULL OR c.rel_type = @RelType) AND (@Type::text IS NULL OR c.type = @Type)),
        found AS (
            SELECT event_nid, position FROM tree
            UNION ALL
            SELECT event_nid, position FROM event_relations
            WHERE (SELECT is_root FROM top) AND room_nid = @RoomNid AND root = @EventId AND depth <= @Depth)
        """;

    static ThreadRow? Thread(NpgsqlDataReader reader) => reader.IsDBNull(2) || reader.IsDBNull(3)
        ? null
        : new ThreadRow(reader.GetInt32(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetString(5), reader.GetFieldValue<string[]>(6));

    static IReadOnlyList<ReferenceRow> References(NpgsqlDataReader reader)
    {
        if (reader.IsDBNull(7))
            return [];
        var (ids, senders, positions) = (reader.GetFieldValue<string[]>(7), reader.GetFieldValue<string[]>(8), reader.GetFieldValue<long[]>(9));
        return [.. ids.Select((id, i) => new ReferenceRow(id, senders[i], positions[i]))];
    }
}

/// <param name="Position">Of the newest event of the thread.</param>
/// <param name="EventNid">The root; null: it is not there.</param>
public sealed record ThreadPlace(long Position, long? EventNid, bool Participated);
