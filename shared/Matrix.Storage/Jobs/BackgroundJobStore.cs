using Npgsql;

namespace Matrix.Storage.Jobs;

/// <summary>How far a job is.</summary>
/// <param name="Position">Everything up to it is done.</param>
/// <param name="Failure">Why the newest attempt failed, or null.</param>
public sealed record JobProgress(
    string Name, long Position, long Goal, long Rows, DateTimeOffset BegunAt, DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt, string? Failure)
{
    /// <summary>From 0 to 1.</summary>
    public double Part => EndedAt is not null || Goal <= 0 ? 1 : Math.Clamp((double)Position / Goal, 0, 1);
}

/// <summary>The progress of long work over what is stored already.</summary>
public sealed class BackgroundJobStore(NpgsqlDataSource db)
{
    const string Columns = "name, position, goal, rows, begun_at, updated_at, ended_at, failure";

    public Task<IReadOnlyList<JobProgress>> List(CancellationToken ct) =>
        db.List<JobProgress>($"SELECT {Columns} FROM background_jobs ORDER BY ended_at NULLS FIRST, begun_at", null, ct);

    public Task<JobProgress?> Find(string name, CancellationToken ct) =>
        db.FindOne<JobProgress>($"SELECT {Columns} FROM background_jobs WHERE name = @name", new { name }, ct);

    /// <summary>The job's row, which nobody else moves until the transaction ends.</summary>
    public static Task<JobProgress> Lock(DatabaseTransaction tx, string name, CancellationToken ct) =>
        tx.GetOne<JobProgress>($"SELECT {Columns} FROM background_jobs WHERE name = @name FOR UPDATE", new { name }, ct);

    /// <summary>Once: whoever begins it again changes nothing.</summary>
    public static Task Begin(DatabaseTransaction tx, string name, long goal, CancellationToken ct) =>
        tx.Execute("INSERT INTO background_jobs (name, goal) VALUES (@name, @goal) ON CONFLICT DO NOTHING", new { name, goal }, ct);

    /// <summary>In the transaction of the batch.</summary>
    public static Task Advance(DatabaseTransaction tx, string name, long position, long rows, bool isOver, CancellationToken ct) => tx.Execute(
        """
        UPDATE background_jobs SET position = @position, rows = rows + @rows, updated_at = clock_timestamp(), failure = NULL,
            ended_at = CASE WHEN @isOver THEN clock_timestamp() END
        WHERE name = @name
        """, new { name, position, rows, isOver }, ct);

    public Task NoteFailure(string name, string failure, CancellationToken ct) => db.Execute(
        "UPDATE background_jobs SET failure = @failure, updated_at = clock_timestamp() WHERE name = @name", new { name, failure }, ct);
}
