using System.Reflection;
using Npgsql;

namespace Matrix.Storage;

/// <summary>
/// The schema: the embedded files <c>Schema/NNNN_name.sql</c>, applied once each, in order of name, forward only. A released file is
/// never edited; a change is a new file that the previous release can live with, because replicas are replaced one by one.
/// </summary>
public static class Migrations
{
    const long AdvisoryLock = 0x4d61747269780001; // any number that nobody else uses in this database

    /// <summary>Applies what is missing. Every replica calls it at start; one does the work, the others wait for it.</summary>
    /// <returns>The names of the files that this call applied.</returns>
    public static async Task<IReadOnlyList<string>> Apply(NpgsqlDataSource db, CancellationToken ct = default)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await Run(connection, $"SELECT pg_advisory_lock({AdvisoryLock})", ct);
        try
        {
            return await ApplyMissing(connection, ct);
        }
        finally
        {
            await Run(connection, $"SELECT pg_advisory_unlock({AdvisoryLock})", CancellationToken.None);
        }
    }

    /// <summary>The names of all files of this program, in order.</summary>
    public static IReadOnlyList<string> Known { get; } = [.. Files().Select(file => file.Name)];

    /// <summary>The names that a database has had applied; none of a new one.</summary>
    public static async Task<IReadOnlyList<string>> ListApplied(NpgsqlDataSource db, CancellationToken ct = default)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        try
        {
            return [.. (await ReadApplied(connection, ct)).Order(StringComparer.Ordinal)];
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return [];
        }
    }

    static async Task<List<string>> ApplyMissing(NpgsqlConnection connection, CancellationToken ct)
    {
        await Run(connection, """
            CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())
            """, ct);
        var done = await ReadApplied(connection, ct);
        var applied = new List<string>();
        foreach (var (name, resource) in Files().Where(file => !done.Contains(file.Name)))
        {
            await using var tx = await connection.BeginTransactionAsync(ct);
            await Run(connection, ReadFile(resource), ct);
            await using var mark = new NpgsqlCommand("INSERT INTO schema_migrations (name) VALUES ($1)", connection);
            mark.Parameters.Add(new NpgsqlParameter { Value = name });
            await mark.ExecuteNonQueryAsync(ct);
            await tx.CommitAsync(ct);
            applied.Add(name);
        }
        return applied;
    }

    static async Task<HashSet<string>> ReadApplied(NpgsqlConnection connection, CancellationToken ct)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand("SELECT name FROM schema_migrations", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            names.Add(reader.GetString(0));
        return names;
    }

    static IEnumerable<(string Name, string Resource)> Files()
    {
        const string folder = ".Schema.";
        return from resource in Assembly.GetExecutingAssembly().GetManifestResourceNames()
               let start = resource.IndexOf(folder, StringComparison.Ordinal)
               where start >= 0 && resource.EndsWith(".sql", StringComparison.Ordinal)
               let name = resource[(start + folder.Length)..^".sql".Length]
               orderby name
               select (name, resource);
    }

    static string ReadFile(string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    static async Task Run(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
