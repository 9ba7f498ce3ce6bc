using Matrix.Storage;
using Npgsql;

namespace Matrix.Replication.Worker;

/// <summary>A change that stores its id with its position, so that losses and doubles show.</summary>
public sealed class Note(Guid id, int entries = 1, string? extraSql = null, long skips = 0) : LogChange
{
    public const string Schema = "CREATE TABLE IF NOT EXISTS notes (id uuid NOT NULL, n int NOT NULL, position bigint NOT NULL, UNIQUE (id, n))";

    public override long Skips => skips;

    public override IReadOnlyList<LogEntryDraft> Entries { get; } =
        [.. Enumerable.Range(0, entries).Select(n => new LogEntryDraft(LogKind.AccountData, UserId: "@a:x", Key: $"{id}/{n}"))];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        for (var n = 0; n < Entries.Count; n++)
            batch.Add("INSERT INTO notes (id, n, position) VALUES ($1, $2, log_position($3))", id, n, back(n));
        if (extraSql is not null)
            batch.Add(extraSql);
    }

    /// <summary>All notes as <c>id/n</c>, by position.</summary>
    public static Task<IReadOnlyList<string>> List(NpgsqlDataSource db) => db.List<string>("SELECT id || '/' || n FROM notes ORDER BY position");
}
