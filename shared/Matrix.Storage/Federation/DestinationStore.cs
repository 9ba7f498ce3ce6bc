using Npgsql;

namespace Matrix.Storage.Federation;

/// <summary>A destination that lags behind its shard, or fails.</summary>
/// <param name="Position">While it lags: everything up to here was delivered.</param>
public sealed record DestinationRow(
    string Server, short Shard, bool Lags, long Position, DateTimeOffset? FailingSince, DateTimeOffset? RetryAt, TimeSpan? RetryInterval, string? LastFailure);

/// <summary>A destination as administrators see it.</summary>
public sealed record ShownDestination(
    string Server, DateTimeOffset? FailingSince, DateTimeOffset? RetryAt, TimeSpan? RetryInterval, string? LastFailure, long Delivered, long Total);

/// <summary>A room that a destination shares.</summary>
/// <param name="Position">Of the room's newest event.</param>
public sealed record DestinationRoom(string RoomId, long Position, long Total);

/// <summary>How far deliveries to other servers are. Writers carry the fence of the lease under which they deliver; that of a late holder changes nothing.</summary>
public sealed class DestinationStore(NpgsqlDataSource db)
{
    const string Columns = "server, shard, lags, position, failing_since, retry_at, retry_interval, last_failure";

    /// <summary>Is there anybody to deliver to?</summary>
    public Task<bool> Any(CancellationToken ct) => db.GetOne<bool>(
        "SELECT EXISTS (SELECT FROM room_servers) OR EXISTS (SELECT FROM outgoing_messages) OR EXISTS (SELECT FROM turned_away)", null, ct);

    /// <summary>Takes a shard over and returns its position, from which its other destinations have to be looked at.</summary>
    public Task<long> Take(short shard, long fence, CancellationToken ct) => db.GetOne<long>(
        """
        INSERT INTO federation_shards AS old (shard, fence) VALUES (@shard, @fence)
        ON CONFLICT (shard) DO UPDATE SET fence = greatest(old.fence, excluded.fence) RETURNING position
        """, new { shard, fence }, ct);

    /// <summary>The destinations of a shard that lag or fail. By the index federation_destinations_shard.</summary>
    public Task<IReadOnlyList<DestinationRow>> List(short shard, CancellationToken ct) => db.List<DestinationRow>(
        $"SELECT {Columns} FROM federation_destinations WHERE shard = @shard AND (lags OR failing_since IS NOT NULL)", new { shard }, ct);

    /// <summary>The servers that entries in (after, upTo] may concern. By the log's primary key.</summary>
    public Task<IReadOnlyList<string>> ListConcerned(long after, long upTo, CancellationToken ct) => db.List<string>(
        """
        WITH entries AS MATERIALIZED (
            SELECT kind, room_nid, user_id FROM log WHERE position > @after AND position <= @upTo AND kind IN (1, 3, 5)),
        rooms AS (
            SELECT room_nid FROM entries WHERE room_nid IS NOT NULL
            UNION SELECT m.room_nid FROM (SELECT DISTINCT user_id FROM entries WHERE kind = 5) u JOIN memberships m USING (user_id) WHERE m.membership = 'join')
        SELECT DISTINCT server FROM rooms JOIN room_servers USING (room_nid) WHERE joined > 0 OR left_at > @after
        UNION SELECT server FROM outgoing_messages
        UNION SELECT server FROM turned_away WHERE position > @after AND position <= @upTo
        """, new { after, upTo }, ct);

    /// <summary>Deletes of <c>turned_away</c> what was delivered: all shards are past it, and its destination is, or keeps up.</summary>
    public Task<int> DeleteTurnedAway(int shards, CancellationToken ct) => db.Execute(
        """
        DELETE FROM turned_away t WHERE position <= (SELECT min(position) FROM federation_shards HAVING count(*) = @shards)
            AND NOT EXISTS (SELECT FROM federation_destinations d WHERE d.server = t.server AND d.lags AND d.position < t.position)
        """, new { shards }, ct);

    /// <summary>Deletes what stands of servers that keep up, which is what no row says too. One that is being written is left for the next time.</summary>
    public Task<int> DeleteSettled(CancellationToken ct) => db.Execute(
        """
        DELETE FROM federation_destinations WHERE server IN (
            SELECT server FROM federation_destinations WHERE NOT lags AND failing_since IS NULL ORDER BY server FOR UPDATE SKIP LOCKED)
        """, null, ct);

    /// <summary>The servers that this one shares rooms with, or has something for, by name.</summary>
    /// <param name="contains">Null: all.</param>
    /// <param name="only">The name of one alone, or null.</param>
    public Task<IReadOnlyList<ShownDestination>> ListShown(string? contains, string? only, bool backwards, long offset, int limit, CancellationToken ct) => db.List<ShownDestination>(
        $"""
        SELECT s.server, d.failing_since, d.retry_at, d.retry_interval, d.last_failure,
            CASE WHEN d.lags THEN d.position ELSE (SELECT coalesce(max(position), 0) FROM federation_shards) END AS delivered, count(*) OVER () AS total
        FROM (SELECT server FROM room_servers WHERE joined > 0 UNION SELECT server FROM federation_destinations UNION SELECT server FROM outgoing_messages) s
        LEFT JOIN federation_destinations d USING (server)
        WHERE (@contains::text IS NULL OR position(lower(@contains) IN lower(s.server)) > 0) AND (@only::text IS NULL OR s.server = @only)
        ORDER BY s.server {(backwards ? "DESC" : "")} OFFSET @offset LIMIT @limit
        """, new { contains, only, offset, limit }, ct);

    /// <summary>The rooms in which a server is. By the index room_servers_of_server.</summary>
    public Task<IReadOnlyList<DestinationRoom>> ListRooms(string server, bool backwards, long offset, int limit, CancellationToken ct) => db.List<DestinationRoom>(
        $"""
        SELECT r.room_id, h.position, count(*) OVER () AS total
        FROM room_servers s JOIN rooms r USING (room_nid) JOIN room_heads h USING (room_nid)
        WHERE s.server = @server AND s.joined > 0 ORDER BY r.room_id {(backwards ? "DESC" : "")} OFFSET @offset LIMIT @limit
        """, new { server, offset, limit }, ct);

    /// <summary>Stores destinations of shards, and after them how far the shards are, in one transaction.</summary>
    public async Task Save(
        IReadOnlyList<DestinationRow> rows, IReadOnlyList<(short Shard, long Position, long Fence)> shards, IReadOnlyDictionary<short, long> fences, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = connection.CreateBatch(); // a batch is a transaction of its own
        if (rows.Count > 0)
        {
            batch.Add(
                """
                INSERT INTO federation_destinations AS old (server, shard, lags, position, failing_since, retry_at, retry_interval, last_failure)
                SELECT d.* FROM unnest($1::text[], $2::smallint[], $3::bool[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::interval[], $8::text[])
                    AS d (server, shard, lags, position, failing_since, retry_at, retry_interval, last_failure)
                JOIN unnest($9::smallint[], $10::bigint[]) AS held (shard, fence) USING (shard)
                JOIN federation_shards s ON s.shard = held.shard AND s.fence = held.fence
                ORDER BY d.server
                ON CONFLICT (server) DO UPDATE SET shard = excluded.shard, lags = excluded.lags, position = excluded.position,
                    failing_since = excluded.failing_since, retry_at = excluded.retry_at, retry_interval = excluded.retry_interval,
                    last_failure = excluded.last_failure
                """,
                rows.Select(row => row.Server).ToArray(), rows.Select(row => row.Shard).ToArray(), rows.Select(row => row.Lags).ToArray(),
                rows.Select(row => row.Position).ToArray(), rows.Select(row => row.FailingSince).ToArray(), rows.Select(row => row.RetryAt).ToArray(),
                rows.Select(row => row.RetryInterval).ToArray(), rows.Select(row => row.LastFailure).ToArray(), fences.Keys.ToArray(), fences.Values.ToArray());
        }
        batch.Add(
            """
            UPDATE federation_shards s SET position = p.position
            FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS p (shard, position, fence)
            WHERE s.shard = p.shard AND s.fence = p.fence AND s.position < p.position
            """,
            shards.Select(shard => shard.Shard).ToArray(), shards.Select(shard => shard.Position).ToArray(), shards.Select(shard => shard.Fence).ToArray());
        await batch.ExecuteNonQueryAsync(ct);
    }
}
