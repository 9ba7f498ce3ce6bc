using Npgsql;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>
/// What the next release's migrations may do while this release runs: every table gets a column and an index of it, and the migration is recorded. A statement that
/// relies on a table having the columns that it has today (SELECT *, COPY or INSERT without a list) fails on it.
/// </summary>
static class NextSchema
{
    public static async Task Apply(RunningServer server, CancellationToken ct)
    {
        await using var db = server.OpenDatabase();
        var tables = new List<string>();
        await using (var list = db.CreateCommand("SELECT format('%I', relname) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1"))
        await using (var reader = await list.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct)) tables.Add(reader.GetString(0));
        }
        Assert.True(tables.Count > 50, $"{tables.Count} tables");
        foreach (var table in tables) await Run(db, $"ALTER TABLE {table} ADD COLUMN of_later integer NOT NULL DEFAULT 0", ct);
        foreach (var table in new[] { "events", "log" }) await Run(db, $"CREATE INDEX CONCURRENTLY ON {table} (of_later) WHERE of_later <> 0", ct);
        await Run(db, "INSERT INTO schema_migrations (name) VALUES ('9000_of_later')", ct);
    }

    static async Task Run(NpgsqlDataSource db, string sql, CancellationToken ct)
    {
        await using var command = db.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(ct);
    }
}
