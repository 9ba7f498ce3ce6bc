using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Inbox;

/// <summary>The events of one server in one room that wait to be taken, in their order.</summary>
/// <param name="Staged">How often events were added.</param>
public sealed record InboxLane(string Origin, long RoomNid, long Staged);

/// <param name="Attempts">How often it was tried to make it part of its room.</param>
public sealed record InboxEvent(long InboxNid, string EventId, byte[] Json, int Attempts);

/// <summary>An event that is to wait.</summary>
public sealed record StagedEvent(long RoomNid, EventId EventId, ReadOnlyMemory<byte> Json);

/// <summary>What is known of a transaction before anything of it is done.</summary>
/// <param name="Response">What it was answered; null: it has not been answered.</param>
/// <param name="Lanes">The rooms in which earlier events of this server wait.</param>
public sealed record TransactionState(byte[]? Response, IReadOnlySet<long> Lanes);

/// <summary>How much waits.</summary>
/// <param name="Events">Counted up to a limit.</param>
/// <param name="OldestSeconds">How long the one that came first has waited.</param>
public sealed record InboxDepth(long Events, long Lanes, double OldestSeconds);

/// <summary>Transactions of other servers, and the events in them that were answered for and are not part of their rooms yet.</summary>
public sealed class InboxStore(NpgsqlDataSource db)
{
    /// <summary>By the primary keys; one round trip.</summary>
    public async Task<TransactionState> Find(ServerName origin, string txnId, CancellationToken ct)
    {
        await using var batch = db.CreateBatch();
        batch.Add("SELECT response FROM federation_transactions WHERE origin = $1 AND txn_id = $2", origin.ToString(), txnId);
        batch.Add("SELECT room_nid FROM federation_lanes WHERE origin = $1", origin.ToString());
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var response = await reader.ReadAsync(ct) ? reader.GetFieldValue<byte[]>(0) : null;
        await reader.NextResultAsync(ct);
        var lanes = new HashSet<long>();
        while (await reader.ReadAsync(ct))
            lanes.Add(reader.GetInt64(0));
        return new TransactionState(response, lanes);
    }

    /// <summary>How many events of the server wait, counted up to a limit.</summary>
    public Task<int> CountWaiting(ServerName origin, int limit, CancellationToken ct) => db.GetOne<int>(
        "SELECT count(*)::int FROM (SELECT FROM federation_inbox WHERE origin = @origin LIMIT @limit) x", new { origin = origin.ToString(), limit }, ct);

    /// <summary>What waits, of all servers. Counts no further than a limit; the first that came is the first by its primary key.</summary>
    public Task<InboxDepth> GetDepth(int limit, CancellationToken ct) => db.GetOne<InboxDepth>(
        """
        SELECT (SELECT count(*) FROM (SELECT FROM federation_inbox LIMIT @limit) AS e) AS events, (SELECT count(*) FROM (SELECT FROM federation_lanes LIMIT @limit) AS l) AS lanes,
            coalesce((SELECT extract(epoch FROM now() - received_at)::float8 FROM federation_inbox ORDER BY inbox_nid LIMIT 1), 0) AS oldest_seconds
        """, new { limit }, ct);

    /// <summary>Remembers the answer together with the events that it answers for and that have to wait.</summary>
    public async Task Insert(ServerName origin, string txnId, byte[] response, IReadOnlyList<StagedEvent> waiting, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = connection.CreateBatch();
        if (waiting.Count > 0)
            AddWaiting(batch, origin.ToString(), waiting);
        batch.Add("INSERT INTO federation_transactions (origin, txn_id, response) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            origin.ToString(), txnId, response);
        await batch.ExecuteNonQueryAsync(ct);
    }

    static void AddWaiting(NpgsqlBatch batch, string origin, IReadOnlyList<StagedEvent> waiting)
    {
        batch.Add(
            """
            INSERT INTO federation_lanes (origin, room_nid) SELECT $1, unnest($2::bigint[])
            ON CONFLICT (origin, room_nid) DO UPDATE SET staged = federation_lanes.staged + 1
            """, origin, waiting.Select(e => e.RoomNid).Distinct().Order().ToArray());
        var command = batch.Add(
            """
            INSERT INTO federation_inbox (origin, room_nid, event_id, json)
            SELECT $1, e.room_nid, e.event_id, e.json FROM unnest($2::bigint[], $3::text[], $4::bytea[]) WITH ORDINALITY AS e (room_nid, event_id, json, n)
            ORDER BY e.n
            ON CONFLICT (origin, room_nid, event_id) DO NOTHING
            """, origin, waiting.Select(e => e.RoomNid).ToArray(), waiting.Select(e => e.EventId.ToString()).ToArray());
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. waiting.Select(e => e.Json.ToArray())] });
    }

    /// <summary>
    /// Takes lanes that are due, for as long as <paramref name="duration"/> says. By federation_lanes_due. Events of a room whose members are not known yet wait until
    /// they are: nobody could say whether they are allowed.
    /// </summary>
    public Task<IReadOnlyList<InboxLane>> Claim(Guid holder, TimeSpan duration, int limit, CancellationToken ct) => db.List<InboxLane>(
        """
        UPDATE federation_lanes l SET due_at = now() + @duration, holder = @holder
        FROM (SELECT origin, room_nid FROM federation_lanes
            WHERE due_at <= now() AND room_nid NOT IN (SELECT room_nid FROM partial_rooms) ORDER BY due_at LIMIT @limit FOR UPDATE SKIP LOCKED) AS due
        WHERE l.origin = due.origin AND l.room_nid = due.room_nid
        RETURNING l.origin, l.room_nid, l.staged
        """, new { holder, duration, limit }, ct);

    /// <summary>Goes on holding all lanes of this holder.</summary>
    public Task<int> Renew(Guid holder, TimeSpan duration, CancellationToken ct) => db.Execute(
        "UPDATE federation_lanes SET due_at = now() + @duration WHERE holder = @holder", new { holder, duration }, ct);

    /// <summary>The first events of a lane. By federation_inbox_lane.</summary>
    public Task<IReadOnlyList<InboxEvent>> List(InboxLane lane, int limit, CancellationToken ct) => db.List<InboxEvent>(
        """
        SELECT inbox_nid, event_id, json, attempts FROM federation_inbox
        WHERE origin = @Origin AND room_nid = @RoomNid ORDER BY inbox_nid LIMIT @limit
        """, new { lane.Origin, lane.RoomNid, limit }, ct);

    /// <summary>They are part of their room, or will never be.</summary>
    public Task<int> Delete(long[] inboxNids, CancellationToken ct) => inboxNids.Length == 0
        ? Task.FromResult(0) : db.Execute("DELETE FROM federation_inbox WHERE inbox_nid = ANY(@inboxNids)", new { inboxNids }, ct);

    /// <summary>Gives the lane back until later.</summary>
    public async Task Postpone(InboxLane lane, long inboxNid, TimeSpan pause, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = connection.CreateBatch();
        batch.Add("UPDATE federation_inbox SET attempts = attempts + 1 WHERE inbox_nid = $1", inboxNid);
        batch.Add("UPDATE federation_lanes SET due_at = now() + $3, holder = NULL WHERE origin = $1 AND room_nid = $2", lane.Origin, lane.RoomNid, pause);
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Ends a lane that was found empty. If events have come since, it is given back, due at once.</summary>
    public async Task End(InboxLane lane, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = connection.CreateBatch();
        batch.Add("DELETE FROM federation_lanes WHERE origin = $1 AND room_nid = $2 AND staged = $3", lane.Origin, lane.RoomNid, lane.Staged);
        batch.Add("UPDATE federation_lanes SET due_at = now(), holder = NULL WHERE origin = $1 AND room_nid = $2", lane.Origin, lane.RoomNid);
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Forgets up to <paramref name="limit"/> transactions that were answered this long ago, and returns how many. By federation_transactions_age.</summary>
    public Task<int> DeleteOld(TimeSpan age, int limit, CancellationToken ct) => db.Execute(
        """
        DELETE FROM federation_transactions WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM federation_transactions WHERE received_at < now() - @age LIMIT @limit))
        """, new { age, limit }, ct);
}
