using Npgsql;

namespace Matrix.Storage;

/// <summary>Which processes keep sessions in memory, and how far each has followed the log.</summary>
public sealed class SessionCacheStore(NpgsqlDataSource db)
{
    /// <summary>A process that was not heard of for so long is dead, or has stopped using what it keeps.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    /// <summary>The process lives, and has dropped what ended up to the position. Forgets the dead.</summary>
    public Task<int> Confirm(Guid process, long applied, CancellationToken ct) => db.Execute(
        """
        WITH dead AS (DELETE FROM session_caches WHERE seen_at < now() - @Lifetime AND process <> @process)
        INSERT INTO session_caches AS known (process, applied, seen_at) VALUES (@process, @applied, now())
        ON CONFLICT (process) DO UPDATE SET applied = greatest(known.applied, excluded.applied), seen_at = excluded.seen_at
        """, new { process, applied, Lifetime }, ct);

    public Task<int> Delete(Guid process, CancellationToken ct) => db.Execute("DELETE FROM session_caches WHERE process = @process", new { process }, ct);

    /// <summary>Is there another process that may not have dropped yet what ended at the position?</summary>
    public async Task<bool> IsAnyBehind(Guid process, long position, CancellationToken ct) => await db.FindOne<int?>(
        "SELECT 1 FROM session_caches WHERE applied < @position AND process <> @process LIMIT 1", new { process, position }, ct) is not null;
}
