using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.Unread;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>
/// A chain of new events as one change of the log: with the room itself if it is new, the head moved by compare-and-swap, and all tables that are kept
/// with events. One log entry for each event, in order; after them one for each merge of branches, and one
/// for each user of this server whom a merge gave another membership.
/// </summary>
/// <param name="written">Is told of the events that were made here.</param>
sealed class EventsChange(
    EventChain chain, UnreadChanges unread, TransactionId? transaction = null, NewRoom? newRoom = null, WrittenEvents? written = null) : LogChange
{
    readonly MembershipRows memberships = new(chain);

    // a member event at a merge need not be what stands afterwards: who is concerned is said by an entry of its own
    readonly LogEntryDraft[] events =
    [
        .. chain.Events.Select((e, i) => new LogEntryDraft(LogKind.Event, chain.Room.RoomNid,
            e.Pdu.Type == EventTypes.Member && e.Merge is null ? e.Pdu.StateKey : null, null, e.EventNid, e.Pdu.Type, unread.NoteOf(i), e.Related)),
    ];

    long RoomNid => chain.Room.RoomNid;

    readonly LogEntryDraft[] merges =
    [
        .. chain.Events.Where(e => e.Merge is not null).Select(e => new LogEntryDraft(LogKind.StateMerge, chain.Room.RoomNid, EventNid: e.EventNid,
            Key: chain.Adoption?.EntryKey)),
    ];

    public override long Skips => chain.Events[0].Received?.Skips ?? 0;

    public override IReadOnlyList<LogEntryDraft> Entries => merges.Length == 0 ? events : [.. events, .. merges, .. memberships.Entries];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        var lastBack = back(events.Length - 1);
        // first, so that a writer with an old head learns of it before anything else fails
        if (newRoom is null)
            AdvanceHead(batch, back(Entries.Count - 1));
        else
            InsertRoom(batch, lastBack);
        chain.Adoption?.AddCommands(batch, RoomNid, chain.Events[0].EventNid);
        StateNodeRows.AddInsert(batch, chain.NewNodes);
        InsertEvents(batch, lastBack);
        if (transaction is { } txn)
            InsertTransaction(batch, txn);
        memberships.AddCommands(batch, back);
        RoomServerChanges.Of(chain).AddCommands(batch, RoomNid, back);
        TurnedAway.AddCommands(batch, chain, back);
        AuthIndexRows.AddInsert(batch, [.. chain.Events.Select(e => e.Placement).OfType<AuthPlacement>()]);
        AuthIndexRows.AddBacklog(batch, RoomNid,
            [.. chain.Events.Where(e => e is { Pdu.IsState: true, Placement: null, Received: not { WasOutlier: true } }).Select(e => e.EventNid)]);
        foreach (var (i, e) in chain.Events.Index())
        {
            if (e.Redacts is not null)
                ApplyRedaction(batch, e);
            // one of this server's own that others bring back, after a restore, is past being refused
            RelationChanges.Add(batch, RoomNid, e, lastBack + events.Length - 1 - i, isLocal: e.Received is null && chain.IsLocal(e.Pdu.Sender));
            if (e.Received is { } received)
                ReceivedRows.AddCommands(batch, RoomNid, received, lastBack + events.Length - 1 - i, chain.IsLocal(e.Pdu.Sender));
        }
        if (newRoom is null)
            SummaryChanges.Of(chain).AddUpdate(batch, RoomNid);
        else
            SummaryChanges.Of(chain).AddInsert(batch, RoomNid, newRoom.Published);
        unread.AddCommands(batch, lastBack);
    }

    public override void Committed(LogPosition last)
    {
        if (chain.IsPartial)
            return;
        var position = last.Value - Entries.Count;
        foreach (var e in chain.Events)
        {
            position++;
            if (e.Received is null)
                written?.Add(new WrittenEvent(chain.Room, e, position, ReferenceEquals(e, chain.Events[^1]) ? transaction : null));
        }
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

    void InsertEvents(NpgsqlBatch batch, int lastBack)
    {
        foreach (var outlier in chain.Events.Where(e => e.Received is { WasOutlier: true }))
            ReceivedRows.AddPlaceOutlier(batch, outlier, lastBack);
        var events = chain.Events.Where(e => e.Received is not { WasOutlier: true }).ToArray();
        if (events.Length == 0)
            return;
        var edges = events.SelectMany(e => e.Pdu.PrevEvents.Select(prev => (e.EventNid, Prev: prev.ToString()))).ToArray();
        var command = batch.Add(
            """
            WITH edges AS (
                INSERT INTO event_edges (event_nid, prev_event_id) SELECT * FROM unnest($1, $2)
            )
            INSERT INTO events (
                room_nid, position, event_nid, event_id, depth, type, state_key, sender, origin_server_ts, json, state_before, room_state, merged)
            SELECT $3, p.position - count(*) OVER () + row_number() OVER (ORDER BY e.n), e.event_nid, e.event_id, e.depth, e.type, e.state_key,
                e.sender, e.ts, e.json, e.state_before, e.room_state, e.merged
            FROM log_position($4) AS p (position),
                unnest($5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) WITH ORDINALITY
                    AS e (event_nid, event_id, depth, type, state_key, sender, ts, merged, json, state_before, room_state, n)
            """,
            edges.Select(e => e.EventNid).ToArray(), edges.Select(e => e.Prev).ToArray(), RoomNid, lastBack,
            events.Select(e => e.EventNid).ToArray(), events.Select(e => e.Pdu.EventId.ToString()).ToArray(),
            events.Select(e => e.Pdu.Depth).ToArray(), events.Select(e => e.Pdu.Type).ToArray(),
            events.Select(e => e.Pdu.StateKey).ToArray(), events.Select(e => e.Pdu.Sender.ToString()).ToArray(),
            events.Select(e => e.Pdu.OriginServerTs).ToArray(), events.Select(e => e.Merge is not null).ToArray());
        command.AddBytes([.. events.Select(e => e.Pdu.Json.ToArray())]);
        command.AddBytes([.. events.Select(e => e.StateBefore.ToBytes())]);
        command.AddBytes([.. events.Select(e => e.RoomState.ToBytes())]);
    }

    // The same transaction id again fails here, on the primary key: the writer then answers with the event of the first time.
    void InsertTransaction(NpgsqlBatch batch, TransactionId txn) => batch.Add(
        """
        INSERT INTO event_transactions (user_id, device_id, room_nid, txn_id, endpoint, event_id, event_nid)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        txn.UserId.ToString(), txn.DeviceId.ToString(), RoomNid, txn.TxnId, txn.Endpoint, chain.Events[^1].Pdu.EventId.ToString(), chain.Events[^1].EventNid);

    void ApplyRedaction(NpgsqlBatch batch, ChainedEvent redaction)
    {
        batch.Add(
            """
            UPDATE events SET redacted_by = $1
            WHERE event_id = $2 AND room_nid = $3 AND redacted_by IS NULL
            """, redaction.EventNid, redaction.Redacts!.Value.ToString(), RoomNid);
        if (redaction.Blanks is { Type: EventTypes.Member } member)
        {
            batch.Add("UPDATE memberships SET display_name = NULL, avatar_url = NULL WHERE room_nid = $1 AND user_id = $2",
                RoomNid, member.StateKey);
        }
    }
}

/// <summary>What is stored with a new room besides its events.</summary>
sealed record NewRoom(UserId Creator, IReadOnlyList<RoomAlias> Aliases, bool Published);
