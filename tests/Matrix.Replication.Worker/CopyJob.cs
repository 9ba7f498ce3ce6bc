using Matrix.Storage;

namespace Matrix.Replication.Worker;

/// <summary>Copies numbers from one table to another that would take a number twice, so that losses and doubles show.</summary>
public class CopyJob : BackgroundJob
{
    public const string JobName = "copy";
    public const string Schema = "CREATE TABLE numbers (n bigint PRIMARY KEY); CREATE TABLE copies (n bigint NOT NULL)";

    public override string Name => JobName;

    public override Task<long> Goal(DatabaseTransaction tx, CancellationToken ct) => tx.GetOne<long>("SELECT max(n) FROM numbers", null, ct);

    public override async Task<JobBatch> Next(DatabaseTransaction tx, long after, long goal, int most, CancellationToken ct)
    {
        var rows = await tx.List<long>(
            "INSERT INTO copies SELECT n FROM numbers WHERE n > @after AND n <= @goal ORDER BY n LIMIT @most RETURNING n", new { after, goal, most }, ct);
        return new(rows.Max(), rows.Count);
    }
}

/// <summary>Takes its time between the copying and the commit, for tests that kill it there.</summary>
public sealed class SlowCopyJob : CopyJob
{
    public override async Task<JobBatch> Next(DatabaseTransaction tx, long after, long goal, int most, CancellationToken ct)
    {
        var batch = await base.Next(tx, after, goal, most, ct);
        await tx.Execute("SELECT pg_sleep(0.15)", null, ct);
        return batch;
    }
}
