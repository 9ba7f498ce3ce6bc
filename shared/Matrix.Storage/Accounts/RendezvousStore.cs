using Npgsql;

namespace Matrix.Storage;

/// <param name="Sequence">Another one for each payload.</param>
public sealed record Rendezvous(string RendezvousId, string Payload, string ContentType, string Sequence, DateTimeOffset ChangedAt, DateTimeOffset ExpiresAt);

/// <summary>The places where two devices meet. The id is a secret that whoever has it may read and write by.</summary>
public sealed class RendezvousStore(NpgsqlDataSource db)
{
    const string Columns = "rendezvous_id, payload, content_type, sequence, changed_at, expires_at";

    /// <summary>Null when there are too many already. What has expired goes when something new comes.</summary>
    public Task<Rendezvous?> Insert(string payload, string contentType, TimeSpan lifetime, int most, CancellationToken ct) => db.FindOne<Rendezvous>(
        $"""
        WITH old AS (DELETE FROM rendezvous WHERE expires_at < now())
        INSERT INTO rendezvous ({Columns})
        SELECT @id, @payload, @contentType, @sequence, now(), now() + @lifetime WHERE (SELECT count(*) FROM rendezvous WHERE expires_at >= now()) < @most
        RETURNING {Columns}
        """, new { id = SecretToken.Generate(), payload, contentType, sequence = SecretToken.Generate(), lifetime, most }, ct);

    public Task<Rendezvous?> Find(string id, CancellationToken ct) =>
        db.FindOne<Rendezvous>($"SELECT {Columns} FROM rendezvous WHERE rendezvous_id = @id AND expires_at >= now()", new { id }, ct);

    /// <summary>Replaces the payload that has this sequence; null when another was first, or it is gone.</summary>
    public Task<Rendezvous?> Replace(string id, string sequence, string payload, string contentType, CancellationToken ct) => db.FindOne<Rendezvous>(
        $"""
        UPDATE rendezvous SET payload = @payload, content_type = @contentType, sequence = @next, changed_at = now()
        WHERE rendezvous_id = @id AND sequence = @sequence AND expires_at >= now() RETURNING {Columns}
        """, new { id, sequence, payload, contentType, next = SecretToken.Generate() }, ct);

    public async Task<bool> Delete(string id, CancellationToken ct) =>
        await db.Execute("DELETE FROM rendezvous WHERE rendezvous_id = @id AND expires_at >= now()", new { id }, ct) == 1;
}
