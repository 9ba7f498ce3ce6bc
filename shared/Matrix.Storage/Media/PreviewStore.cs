using Npgsql;

namespace Matrix.Storage.Media;

/// <param name="Body">JSON; null: the address could not be fetched lately.</param>
public sealed record PreviewRow(string? Body);

/// <summary>Previews of addresses, shared by all replicas.</summary>
public sealed class PreviewStore(NpgsqlDataSource db)
{
    public Task<PreviewRow?> Find(byte[] urlHash, DateTimeOffset now, CancellationToken ct) => db.FindOne<PreviewRow>(
        "SELECT body FROM url_previews WHERE url_hash = @urlHash AND expires_at > @now", new { urlHash, now }, ct);

    public Task Upsert(byte[] urlHash, string? body, DateTimeOffset expiresAt, CancellationToken ct) => db.Execute(
        """
        INSERT INTO url_previews (url_hash, body, expires_at) VALUES (@urlHash, @body, @expiresAt)
        ON CONFLICT (url_hash) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at
        """, new { urlHash, body, expiresAt }, ct);

    public Task DeleteExpired(DateTimeOffset now, CancellationToken ct) =>
        db.Execute("DELETE FROM url_previews WHERE expires_at < @now", new { now }, ct);
}
