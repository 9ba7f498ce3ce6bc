using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Federation;

/// <summary>A server that does not answer.</summary>
/// <param name="FailingSince">When it failed first.</param>
/// <param name="RetryAt">Not to be asked before.</param>
/// <param name="IntervalMs">The pause that ends at <paramref name="RetryAt"/>.</param>
public sealed record DestinationRetry(DateTimeOffset FailingSince, DateTimeOffset RetryAt, long IntervalMs);

/// <summary>The servers that fail, by their primary key.</summary>
public sealed class DestinationRetryStore(NpgsqlDataSource db)
{
    public Task<DestinationRetry?> Find(ServerName destination, CancellationToken ct) => db.FindOne<DestinationRetry?>(
        "SELECT failing_since, retry_at, interval_ms FROM destination_retries WHERE destination = @destination", new { destination }, ct);

    /// <summary>Of these, those that fail.</summary>
    public async Task<IReadOnlyDictionary<string, DestinationRetry>> List(IReadOnlyCollection<string> destinations, CancellationToken ct) =>
        (await db.List<Row>("SELECT destination, failing_since, retry_at, interval_ms FROM destination_retries WHERE destination = ANY(@destinations)",
            new { destinations = destinations.ToArray() }, ct))
        .ToDictionary(row => row.Destination, row => new DestinationRetry(row.FailingSince, row.RetryAt, row.IntervalMs));

    /// <summary>Lengthens the pause, unless one runs already: then several requests were under way when the server went away.</summary>
    public Task<DestinationRetry> Failed(ServerName destination, DateTimeOffset now, TimeSpan first, double multiplier, TimeSpan longest, CancellationToken ct) =>
        db.GetOne<DestinationRetry>(
            """
            INSERT INTO destination_retries AS r (destination, failing_since, retry_at, interval_ms)
            VALUES (@destination, @now, @now + @first * interval '1 ms', @first)
            ON CONFLICT (destination) DO UPDATE SET
                interval_ms = CASE WHEN r.retry_at > @now THEN r.interval_ms ELSE LEAST(@longest, GREATEST(@first, (r.interval_ms * @multiplier)::bigint)) END,
                retry_at = CASE WHEN r.retry_at > @now THEN r.retry_at
                    ELSE @now + LEAST(@longest, GREATEST(@first, (r.interval_ms * @multiplier)::bigint)) * interval '1 ms' END
            RETURNING failing_since, retry_at, interval_ms
            """,
            new { destination, now, first = (long)first.TotalMilliseconds, multiplier, longest = (long)longest.TotalMilliseconds }, ct);

    /// <summary>True if there was something to delete.</summary>
    public async Task<bool> Delete(ServerName destination, CancellationToken ct) =>
        await db.Execute("DELETE FROM destination_retries WHERE destination = @destination", new { destination }, ct) > 0;

    sealed record Row(string Destination, DateTimeOffset FailingSince, DateTimeOffset RetryAt, long IntervalMs);
}
