using System.Globalization;
using Npgsql;

namespace Matrix.Storage.Push;

/// <summary>How far a pusher has come.</summary>
/// <param name="Cursor">What is up to this position of the log was delivered, or is waiting.</param>
/// <param name="Waiting">Positions; those above the cursor were not delivered yet, though the shard has passed them.</param>
/// <param name="Badge">The count that was told last; null: none yet.</param>
public sealed record PusherProgress(long PusherId, long Cursor, long[] Waiting, int? Badge, DateTimeOffset? MailedAt)
{
    /// <summary>For a mail pusher, all of whose waiting events count: its cursor.</summary>
    public long Passed { get; init; }
}

/// <summary>A push was delivered, and what is stored of that.</summary>
/// <param name="Badge">Null: none was told.</param>
public readonly record struct CursorMove(long PusherId, long Cursor, int? Badge);

/// <param name="Fence">Of the lease under which the shard is held.</param>
public readonly record struct ShardPlace(short Shard, long Fence, long Position);

/// <summary>What waits for delivery of a pusher.</summary>
public readonly record struct WaitingPushes(long PusherId, short Shard, IReadOnlyList<long> Positions);

/// <summary>An event in the log.</summary>
public sealed record LogEvent(long Position, long EventNid, long RoomNid);

/// <summary>How far pushing has come: each shard in the log, and each pusher.</summary>
public sealed class PushProgressStore(NpgsqlDataSource db)
{
    /// <summary>By the index pushers_of_shard.</summary>
    public Task<IReadOnlyList<Pusher>> ListOfShards(IReadOnlyCollection<short> shards, CancellationToken ct) => db.List<Pusher>(
        $"SELECT {PusherStore.Columns} FROM pushers p WHERE p.shard = ANY(@shards)", new { shards = shards.ToArray() }, ct);

    public Task<IReadOnlyList<PusherProgress>> List(IReadOnlyCollection<long> pusherIds, CancellationToken ct) => db.List<PusherProgress>(
        """
        SELECT pusher_id, cursor, waiting, badge, mailed_at FROM push_cursors
        WHERE pusher_id = ANY(@ids)
        """, new { ids = pusherIds.ToArray() }, ct);

    /// <summary>The events at these positions of the log; by primary key.</summary>
    public Task<IReadOnlyList<LogEvent>> ListEvents(IReadOnlyCollection<long> positions, CancellationToken ct) => db.List<LogEvent>(
        """
        SELECT position, event_nid, room_nid FROM log
        WHERE position = ANY(@positions) AND event_nid IS NOT NULL AND room_nid IS NOT NULL
        """, new { positions = positions.ToArray() }, ct);

    /// <summary>Begins to hold a shard; from where on the log has to be looked through, or null if somebody holds it with a newer lease.</summary>
    public Task<long?> Begin(short shard, long fence, CancellationToken ct) => db.FindOne<long?>(
        """
        INSERT INTO push_shards AS s (shard, fence, position)
        VALUES (@shard, @fence, coalesce(
            (SELECT min(c.cursor) FROM pushers p JOIN push_cursors c USING (pusher_id) WHERE p.shard = @shard), (SELECT position FROM log_head)))
        ON CONFLICT (shard) DO UPDATE SET fence = excluded.fence WHERE s.fence <= excluded.fence
        RETURNING position
        """, new { shard, fence }, ct);

    /// <summary>Moves cursors, never back. Returns the pushers that are still there.</summary>
    /// <param name="moves">At most one of each pusher.</param>
    public Task<IReadOnlyList<long>> Advance(IReadOnlyCollection<CursorMove> moves, CancellationToken ct) => db.List<long>(
        """
        UPDATE push_cursors c SET cursor = greatest(c.cursor, n.cursor), badge = coalesce(n.badge, c.badge)
        FROM unnest(@ids, @cursors, @badges) AS n (id, cursor, badge)
        WHERE c.pusher_id = n.id
        RETURNING c.pusher_id
        """, new
    {
        ids = moves.Select(m => m.PusherId).ToArray(),
        cursors = moves.Select(m => m.Cursor).ToArray(),
        badges = moves.Select(m => m.Badge).ToArray(),
    }, ct);

    /// <summary>Stores how far shards have come, with what waits there. Does nothing for those that somebody else holds by now.</summary>
    public Task Checkpoint(IReadOnlyCollection<ShardPlace> shards, IReadOnlyCollection<WaitingPushes> waiting, CancellationToken ct) => db.Execute(
        """
        WITH mine AS (
            UPDATE push_shards s SET position = greatest(s.position, n.position)
            FROM unnest(@shards, @fences, @positions) AS n (shard, fence, position)
            WHERE s.shard = n.shard AND s.fence = n.fence
            RETURNING s.shard
        )
        UPDATE push_cursors c SET waiting = n.waiting::bigint[]
        FROM unnest(@ids, @of_shards, @waiting) AS n (id, shard, waiting)
        WHERE c.pusher_id = n.id AND n.shard IN (SELECT shard FROM mine)
        """, new
    {
        shards = shards.Select(s => s.Shard).ToArray(),
        fences = shards.Select(s => s.Fence).ToArray(),
        positions = shards.Select(s => s.Position).ToArray(),
        ids = waiting.Select(w => w.PusherId).ToArray(),
        of_shards = waiting.Select(w => w.Shard).ToArray(),
        waiting = waiting.Select(w => $"{{{string.Join(',', w.Positions.Select(p => p.ToString(CultureInfo.InvariantCulture)))}}}").ToArray(),
    }, ct);
}
