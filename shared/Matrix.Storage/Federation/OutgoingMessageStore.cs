using Npgsql;

namespace Matrix.Storage.Federation;

/// <param name="Edu">JSON: the content of an m.direct_to_device.</param>
public sealed record OutgoingMessage(long Position, int Number, byte[] Edu);

/// <summary>Messages to devices of other servers: written through the log, deleted once they are delivered.</summary>
public sealed class OutgoingMessageStore(NpgsqlDataSource db)
{
    /// <summary>The oldest messages to a server, in order, by primary key.</summary>
    public Task<IReadOnlyList<OutgoingMessage>> List(string server, int limit, CancellationToken ct) => db.List<OutgoingMessage>(
        "SELECT position, number, edu FROM outgoing_messages WHERE server = @server ORDER BY position, number LIMIT @limit", new { server, limit }, ct);

    /// <summary>The messages to a server after one of them, in order, by primary key.</summary>
    public Task<IReadOnlyList<OutgoingMessage>> ListAfter(string server, long position, int number, int limit, CancellationToken ct) => db.List<OutgoingMessage>(
        """
        SELECT position, number, edu FROM outgoing_messages WHERE server = @server AND (position, number) > (@position, @number)
        ORDER BY position, number LIMIT @limit
        """, new { server, position, number, limit }, ct);

    /// <summary>Deletes the messages to a server up to one of them.</summary>
    public Task<int> Delete(string server, long position, int number, CancellationToken ct) => db.Execute(
        "DELETE FROM outgoing_messages WHERE server = @server AND (position, number) <= (@position, @number)", new { server, position, number }, ct);

    /// <summary>Messages to one server at one position.</summary>
    public static void Add(NpgsqlBatch batch, string server, IReadOnlyList<byte[]> edus, int back) => batch.Add(
        """
        INSERT INTO outgoing_messages (server, position, number, edu)
        SELECT $1, (SELECT log_position($3)), m.n, m.edu FROM unnest($2::bytea[]) WITH ORDINALITY AS m (edu, n)
        """, server, edus.ToArray(), back);
}
