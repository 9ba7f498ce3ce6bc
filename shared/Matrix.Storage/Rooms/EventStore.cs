using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>Which way a timeline is read.</summary>
public enum TimelineDirection
{
    Backwards,
    Forwards,
}

/// <param name="IsPlaced">Has it a place in the index of auth chains?</param>
public sealed record KnownEvent(long EventNid, string EventId, bool IsRejected, bool IsPlaced);

/// <summary>Events, written by the log writer and read from here. Each method is one round trip.</summary>
public sealed class EventStore(NpgsqlDataSource db)
{
    const string Select =
        """
        SELECT e.event_nid, e.event_id, e.room_nid, r.version, e.position, e.depth, e.type, e.state_key, e.sender, e.origin_server_ts, e.json,
            e.state_before, e.room_state, e.rejected, e.soft_failed, e.redacted_by,
            EXISTS (SELECT FROM partial_rooms p WHERE p.room_nid = e.room_nid) AS is_tentative, e.half_known IS TRUE
        FROM events e JOIN rooms r USING (room_nid)

        """;

    /// <summary>The events with these numbers, by number; those that do not exist are left out.</summary>
    public async Task<Dictionary<long, StoredEvent>> Get(IReadOnlyCollection<long> eventNids, CancellationToken ct)
    {
        if (eventNids.Count == 0)
            return [];
        await using var command = db.CreateCommand(Select + "WHERE e.event_nid = ANY($1)");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. eventNids] });
        return (await Read(command, eventNids.Count, ct)).ToDictionary(e => e.EventNid);
    }

    /// <summary>Those of the events that the room has, outliers and rejected ones too, in no particular order.</summary>
    public async Task<List<StoredEvent>> FindInRoom(long roomNid, IReadOnlyCollection<EventId> eventIds, CancellationToken ct)
    {
        if (eventIds.Count == 0)
            return [];
        await using var command = db.CreateCommand(Select + "WHERE e.event_id = ANY($1) AND e.room_nid = $2");
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. eventIds.Select(id => id.ToString())] });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = roomNid });
        return await Read(command, eventIds.Count, ct);
    }

    /// <summary>Which of these events the room has, outliers and rejected ones too. By the unique key of event ids.</summary>
    public Task<IReadOnlySet<EventId>> ListKnown(long roomNid, IReadOnlyCollection<EventId> eventIds, CancellationToken ct) =>
        ListIds("SELECT event_id FROM events WHERE event_id = ANY(@ids) AND room_nid = @roomNid", roomNid, eventIds, ct);

    /// <summary>Which of these events the room has as places that others can build on.</summary>
    public Task<IReadOnlySet<EventId>> ListPlaced(long roomNid, IReadOnlyCollection<EventId> eventIds, CancellationToken ct) =>
        ListIds("SELECT event_id FROM events WHERE event_id = ANY(@ids) AND room_nid = @roomNid AND state_before IS NOT NULL", roomNid, eventIds, ct);

    async Task<IReadOnlySet<EventId>> ListIds(string sql, long roomNid, IReadOnlyCollection<EventId> eventIds, CancellationToken ct) => eventIds.Count == 0
        ? new HashSet<EventId>()
        : (await db.List<string>(sql, new { ids = eventIds.Select(id => id.ToString()).ToArray(), roomNid }, ct)).Select(id => EventId.Parse(id)).ToHashSet();

    public async Task<StoredEvent?> FindByEventId(EventId eventId, CancellationToken ct)
    {
        await using var command = db.CreateCommand(Select + "WHERE e.event_id = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = eventId.ToString() });
        return (await Read(command, 1, ct)).FirstOrDefault();
    }

    /// <summary>
    /// Events of a room's timeline in the direction asked for. <paramref name="from"/> and <paramref name="to"/> are positions, given in the order of
    /// reading: backwards, events with <c>to &lt; position &lt;= from</c>, newest first; forwards, <c>from &lt; position &lt;= to</c>, oldest first.
    /// Served by the index events_timeline.
    /// </summary>
    public async Task<List<StoredEvent>> List(long roomNid, long from, long to, int limit, TimelineDirection direction, CancellationToken ct)
    {
        await using var command = db.CreateCommand(Select + (direction == TimelineDirection.Backwards
            ? "WHERE e.room_nid = $1 AND e.position <= $2 AND e.position > $3 ORDER BY e.position DESC LIMIT $4"
            : "WHERE e.room_nid = $1 AND e.position > $2 AND e.position <= $3 ORDER BY e.position LIMIT $4"));
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = roomNid });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = to });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await Read(command, Math.Min(limit, 256), ct);
    }

    /// <summary>What is known of those of the events that the room has. By the unique key of event ids.</summary>
    public Task<IReadOnlyList<KnownEvent>> ListNumbered(long roomNid, IReadOnlyCollection<EventId> eventIds, CancellationToken ct) => db.List<KnownEvent>(
        """
        SELECT e.event_nid, e.event_id, e.rejected IS NOT NULL AS is_rejected, EXISTS (SELECT FROM auth_index a WHERE a.event_nid = e.event_nid) AS is_placed
        FROM events e WHERE e.event_id = ANY(@ids) AND e.room_nid = @roomNid
        """, new { ids = eventIds.Select(id => id.ToString()).ToArray(), roomNid }, ct);

    /// <summary>Those of the events that are redacted.</summary>
    public async Task<IReadOnlySet<long>> FindRedacted(IReadOnlyCollection<long> eventNids, CancellationToken ct) => eventNids.Count == 0
        ? new HashSet<long>()
        : (await db.List<long>("SELECT event_nid FROM events WHERE event_nid = ANY(@eventNids) AND redacted_by IS NOT NULL",
            new { eventNids = eventNids.ToArray() }, ct)).ToHashSet();

    /// <summary>
    /// Has the event a place in its room, and does an accepted event build on it? By the unique key of event ids and event_edges_prev.
    /// </summary>
    public async Task<(bool IsPlaced, bool IsBuiltOn)> FindPlace(EventId eventId, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            SELECT EXISTS (SELECT FROM events WHERE event_id = $1 AND state_before IS NOT NULL), EXISTS (
                SELECT FROM event_edges x JOIN events e USING (event_nid)
                WHERE x.prev_event_id = $1 AND e.state_before IS NOT NULL AND e.rejected IS NULL AND NOT e.soft_failed)
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = eventId.ToString() });
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return (reader.GetBoolean(0), reader.GetBoolean(1));
    }

    /// <summary>
    /// Those of the events of which something is known already: they have a place, an accepted event builds on them, or a redaction waits for them. By the
    /// unique key of event ids, event_edges_prev and the primary key of redactions_due.
    /// </summary>
    public Task<IReadOnlySet<EventId>> ListTouched(long roomNid, IReadOnlyCollection<EventId> eventIds, CancellationToken ct) => ListIds(
        """
        SELECT i.id FROM unnest(@ids) AS i (id) WHERE EXISTS (SELECT FROM events WHERE event_id = i.id AND state_before IS NOT NULL)
            OR EXISTS (
                SELECT FROM event_edges x JOIN events e USING (event_nid)
                WHERE x.prev_event_id = i.id AND e.state_before IS NOT NULL AND e.rejected IS NULL AND NOT e.soft_failed)
            OR EXISTS (SELECT FROM redactions_due WHERE room_nid = @roomNid AND event_id = i.id)
        """, roomNid, eventIds, ct);

    /// <summary>The roots of the states that a room's events from a position on stand in. By the index events_timeline.</summary>
    public async Task<IReadOnlyList<StateNodeId>> ListRootsFrom(long roomNid, long position, CancellationToken ct) => [.. (await db.List<byte[]>(
        """
        SELECT state_before FROM events WHERE room_nid = @roomNid AND position >= @position
        UNION SELECT room_state FROM events WHERE room_nid = @roomNid AND position >= @position
        """, new { roomNid, position }, ct)).Select(root => StateNodeId.Read(root))];

    /// <summary>What a user's membership was before a merge of branches, whose entry has this position, and the room's state after it; or null.</summary>
    public async Task<(string Was, StateNodeId? RoomState)?> FindMerge(string userId, long position, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            SELECT m.was, (SELECT room_state FROM events e WHERE e.room_nid = m.room_nid AND e.position <= m.position ORDER BY e.position DESC LIMIT 1)
            FROM membership_merges m WHERE m.user_id = $1 AND m.position = $2
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = userId });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? (reader.GetString(0), Root(reader, 1)) : null;
    }

    /// <summary>The redactions that came before this event, which they redact.</summary>
    public Task<IReadOnlyList<long>> ListRedactionsDue(long roomNid, EventId eventId, CancellationToken ct) => db.List<long>(
        "SELECT redaction_nid FROM redactions_due WHERE room_nid = @roomNid AND event_id = @eventId", new { roomNid, eventId = eventId.ToString() }, ct);

    /// <summary>Those of these events that redactions which are here already redact.</summary>
    public async Task<IReadOnlySet<EventId>> ListWithRedactionsDue(long roomNid, IReadOnlyCollection<EventId> eventIds, CancellationToken ct) =>
        await ListIds("SELECT event_id FROM redactions_due WHERE room_nid = @roomNid AND event_id = ANY(@ids)", roomNid, eventIds, ct);

    /// <summary>The event that a device's transaction id made, or null.</summary>
    public async Task<(EventId EventId, long EventNid)?> FindTransaction(
        UserId userId, DeviceId deviceId, long roomNid, string txnId, string endpoint, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            SELECT event_id, event_nid FROM event_transactions
            WHERE user_id = $1 AND device_id = $2 AND room_nid = $3 AND txn_id = $4 AND endpoint = $5
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = userId.ToString() });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = deviceId.ToString() });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = roomNid });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = txnId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = endpoint });
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? (EventId.Parse(reader.GetString(0)), reader.GetInt64(1)) : null;
    }

    static async Task<List<StoredEvent>> Read(NpgsqlCommand command, int expected, CancellationToken ct)
    {
        var events = new List<StoredEvent>(expected);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            events.Add(new StoredEvent(
                reader.GetInt64(0), EventId.Parse(reader.GetString(1)), reader.GetInt64(2), RoomVersions.Find(reader.GetString(3))!,
                reader.IsDBNull(4) ? null : reader.GetInt64(4), reader.GetInt64(5), reader.GetString(6),
                reader.IsDBNull(7) ? null : reader.GetString(7), UserId.Parse(reader.GetString(8)), reader.GetInt64(9),
                reader.GetFieldValue<byte[]>(10), Root(reader, 11), Root(reader, 12), reader.IsDBNull(13) ? null : reader.GetString(13),
                reader.GetBoolean(14), reader.IsDBNull(15) ? null : reader.GetInt64(15)) 
                {
                    IsTentative = reader.GetBoolean(16), IsHalfKnown = reader.GetBoolean(17),
                });
        }
        return events;
    }

    static StateNodeId? Root(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : StateNodeId.Read(reader.GetFieldValue<byte[]>(column));

    /// <summary>Forgets up to <paramref name="limit"/> transaction ids that are older than this, and returns how many.</summary>
    public Task<int> DeleteOldTransactions(TimeSpan age, int limit, CancellationToken ct) => db.Execute(
        """
        DELETE FROM event_transactions WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM event_transactions WHERE created_at < now() - @age LIMIT @limit))
        """, new { age, limit }, ct);
}
