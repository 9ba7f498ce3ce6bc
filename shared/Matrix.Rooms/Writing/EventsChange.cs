using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Unread;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;
using NpgsqlTypes;

namespace Matrix.Rooms.Writing;

/// <summary>
/// A chain of new events as one change of the log: with the room itself if it is new, the head moved by compare-and-swap, and all tables that are kept
/// with events. One log entry for each event, in order.
/// </summary>
sealed class EventsChange(EventChain chain, UnreadChanges unread, TransactionId? transaction = null, NewRoom? newRoom = null) : LogChange
{
    readonly LogEntryDraft[] entries =
    [
        .. chain.Events.Select((e, i) => new LogEntryDraft(
            LogKind.Event, chain.Room.RoomNid, e.Pdu.Type == EventTypes.Member ? e.Pdu.StateKey : null, null, e.EventNid, e.Pdu.Type, unread.NoteOf(i),
            e.Related)),
    ];

    long RoomNid => chain.Room.RoomNid;

    public override IReadOnlyList<LogEntryDraft> Entries => entries;

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        var lastBack = back(entries.Length - 1);
        // first, so that a writer with an old head learns of it before anything else fails
        if (newRoom is null)
            AdvanceHead(batch, lastBack);
        else
            InsertRoom(batch, lastBack);
        InsertStateNodes(batch);
        InsertEvents(batch, lastBack);
        if (transaction is { } txn)
            InsertTransaction(batch, txn);
        UpsertMemberships(batch, lastBack);
        foreach (var e in chain.Events.Where(e => e.Pdu.Redacts is not null))
            ApplyRedaction(batch, e);
        foreach (var (i, e) in chain.Events.Index())
            RelationChanges.Add(batch, RoomNid, e, lastBack + entries.Length - 1 - i, chain.IsLocal(e.Pdu.Sender));
        if (newRoom is null)
            SummaryChanges.Of(chain).AddUpdate(batch, RoomNid);
        else
            SummaryChanges.Of(chain).AddInsert(batch, RoomNid, newRoom.Published);
        unread.AddCommands(batch, lastBack);
    }

    void AdvanceHead(NpgsqlBatch batch, int back)
    {
        var next = chain.NextHead();
        batch.Add("SELECT advance_room_head($1, $2, $3, $4, $5, $6, log_position($7))",
            RoomNid, chain.Head.Version, Nids(chain.Head), Nids(next), next.StateRoot.ToBytes(), next.Depth, back);
    }

    void InsertRoom(NpgsqlBatch batch, int back)
    {
        var next = chain.NextHead();
        batch.Add("INSERT INTO rooms (room_nid, room_id, version) VALUES ($1, $2, $3)",
            RoomNid, chain.Room.RoomId.ToString(), chain.Room.Rules.Id);
        batch.Add(
            """
            INSERT INTO room_heads (room_nid, version, extremities, state_root, depth, position)
            VALUES ($1, $2, $3, $4, $5, log_position($6))
            """, RoomNid, next.Version, Nids(next), next.StateRoot.ToBytes(), next.Depth, back);
        foreach (var alias in newRoom!.Aliases)
        {
            batch.Add("INSERT INTO room_aliases (alias, room_nid, creator) VALUES ($1, $2, $3)",
                alias.ToString(), RoomNid, newRoom.Creator.ToString());
        }
    }

    static long[] Nids(RoomHead head) => [.. head.Extremities.Select(e => e.EventNid)];

    void InsertStateNodes(NpgsqlBatch batch)
    {
        if (chain.NewNodes.Count == 0)
            return;
        var nodes = chain.NewNodes.OrderBy(n => n.Id.Value).ToArray();
        var command = batch.Add(
            """
            INSERT INTO state_nodes (node_id, data)
            SELECT * FROM unnest($1, $2)
            ON CONFLICT DO NOTHING
            """);
        AddBytes(command, [.. nodes.Select(n => n.Id.ToBytes())]);
        AddBytes(command, [.. nodes.Select(n => n.Data.ToArray())]);
    }

    void InsertEvents(NpgsqlBatch batch, int lastBack)
    {
        var events = chain.Events;
        var edges = events.SelectMany(e => e.Pdu.PrevEvents.Select(prev => (e.EventNid, Prev: prev.ToString()))).ToArray();
        var command = batch.Add(
            """
            WITH edges AS (
                INSERT INTO event_edges (event_nid, prev_event_id) SELECT * FROM unnest($1, $2)
            )
            INSERT INTO events (room_nid, position, event_nid, event_id, depth, type, state_key, sender, origin_server_ts, json, state_before, room_state)
            SELECT $3, p.position - count(*) OVER () + row_number() OVER (ORDER BY e.n), e.event_nid, e.event_id, e.depth, e.type, e.state_key,
                e.sender, e.ts, e.json, e.state_before, e.room_state
            FROM log_position($4) AS p (position),
                unnest($5, $6, $7, $8, $9, $10, $11, $12, $13, $14) WITH ORDINALITY
                    AS e (event_nid, event_id, depth, type, state_key, sender, ts, json, state_before, room_state, n)
            """,
            edges.Select(e => e.EventNid).ToArray(), edges.Select(e => e.Prev).ToArray(), RoomNid, lastBack,
            events.Select(e => e.EventNid).ToArray(), events.Select(e => e.Pdu.EventId.ToString()).ToArray(),
            events.Select(e => e.Pdu.Depth).ToArray(), events.Select(e => e.Pdu.Type).ToArray(),
            events.Select(e => e.Pdu.StateKey).ToArray(), events.Select(e => e.Pdu.Sender.ToString()).ToArray(),
            events.Select(e => e.Pdu.OriginServerTs).ToArray());
        AddBytes(command, [.. events.Select(e => e.Pdu.Json.ToArray())]);
        AddBytes(command, [.. events.Select(e => e.StateBefore.ToBytes())]);
        AddBytes(command, [.. events.Select(e => e.StateAfter.ToBytes())]);
    }

    // The same transaction id again fails here, on the primary key: the writer then answers with the event of the first time.
    void InsertTransaction(NpgsqlBatch batch, TransactionId txn) => batch.Add(
        """
        INSERT INTO event_transactions (user_id, device_id, room_nid, txn_id, endpoint, event_id, event_nid)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        txn.UserId.ToString(), txn.DeviceId.ToString(), RoomNid, txn.TxnId, txn.Endpoint, chain.Events[^1].Pdu.EventId.ToString(), chain.Events[^1].EventNid);

    void UpsertMemberships(NpgsqlBatch batch, int lastBack)
    {
        // a user may get several in one chain: the last one counts
        var members = chain.Events.Select((e, i) => (e.Pdu, e.EventNid, Back: lastBack + entries.Length - 1 - i))
            .Where(e => e.Pdu.Type == EventTypes.Member && e.Pdu.StateKey is not null)
            .GroupBy(e => e.Pdu.StateKey!).Select(g => g.Last()).ToArray();
        if (members.Length == 0)
            return;
        batch.Add(
            """
            INSERT INTO memberships (room_nid, user_id, membership, event_nid, sender, position, display_name, avatar_url)
            SELECT $1, m.user_id, m.membership, m.event_nid, m.sender, log_position(m.back), m.display_name, m.avatar_url
            FROM unnest($2, $3, $4, $5, $6, $7, $8) AS m (user_id, membership, event_nid, sender, back, display_name, avatar_url)
            ON CONFLICT (room_nid, user_id) DO UPDATE SET membership = EXCLUDED.membership, event_nid = EXCLUDED.event_nid, sender = EXCLUDED.sender,
                position = EXCLUDED.position, display_name = EXCLUDED.display_name, avatar_url = EXCLUDED.avatar_url, forgotten = false
            """,
            RoomNid, members.Select(m => m.Pdu.StateKey!).ToArray(), members.Select(m => m.Pdu.Membership ?? "leave").ToArray(),
            members.Select(m => m.EventNid).ToArray(), members.Select(m => m.Pdu.Sender.ToString()).ToArray(),
            members.Select(m => m.Back).ToArray(), members.Select(m => Storable(m.Pdu.ContentString("displayname"u8))).ToArray(),
            members.Select(m => Storable(m.Pdu.ContentString("avatar_url"u8))).ToArray());
    }

    void ApplyRedaction(NpgsqlBatch batch, ChainedEvent redaction)
    {
        batch.Add(
            """
            UPDATE events SET redacted_by = $1
            WHERE event_id = $2 AND room_nid = $3 AND redacted_by IS NULL
            """, redaction.EventNid, redaction.Pdu.Redacts!.Value.ToString(), RoomNid);
        if (redaction.Blanks is { Type: EventTypes.Member } member)
        {
            batch.Add("UPDATE memberships SET display_name = NULL, avatar_url = NULL WHERE room_nid = $1 AND user_id = $2",
                RoomNid, member.StateKey);
        }
    }

    /// <summary>Without NUL, which events may have in their text and Postgres cannot store.</summary>
    internal static string? Storable(string? text) => text?.Replace("\0", "", StringComparison.Ordinal);

    static void AddBytes(NpgsqlBatchCommand command, byte[][] values) => command.Parameters.Add(
        new NpgsqlParameter { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
}

/// <summary>What is stored with a new room besides its events.</summary>
sealed record NewRoom(UserId Creator, IReadOnlyList<RoomAlias> Aliases, bool Published);
