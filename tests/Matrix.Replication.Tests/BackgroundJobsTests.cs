using Matrix.Storage;
using Matrix.Storage.Jobs;
using Matrix.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Matrix.Replication.Tests;

public sealed class BackgroundJobsTests : IAsyncLifetime
{
    const int Numbers = 3000;
    readonly List<LogHost> _hosts = [];
    TestDatabase _database = null!;
    BackgroundJobStore _store = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create();
        _store = new(_database.Db);
        await _database.Db.Execute(CopyJob.Schema);
        await _database.Db.Execute("INSERT INTO numbers SELECT n * 7 FROM generate_series(1, @Numbers) n", new { Numbers });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
            await host.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_job_whose_replica_is_killed_in_the_middle_of_a_batch_is_ended_by_another_and_nothing_is_done_twice_or_left_out()
    {
        await using var first = new WorkerProcess(appenders: 0, new Dictionary<string, string?>(LogHost.DatabaseSettings(_database.ConnectionString))
        {
            ["job"] = CopyJob.JobName, ["background_jobs:share"] = "1", ["background_jobs:takeover_seconds"] = "3", ["rabbitmq:port"] = "1", ["redis:port"] = "1",
        });
        var before = await Until("it is under way", progress => progress.Rows >= 200);
        await first.Kill();
        Assert.InRange(before.Part, 0.01, 0.99);
        Assert.Null(before.EndedAt);
        await _database.Db.Execute("INSERT INTO numbers VALUES (1000000)"); // beyond the goal

        await Start<CopyJob>();
        await Start<CopyJob>(); // the second finds the lease taken
        var after = await Until("it has ended", progress => progress.EndedAt is not null);
        Assert.Equal((Numbers, Numbers * 7, 1.0, null), (after.Rows, after.Position, after.Part, after.Failure));
        Assert.Equal(Enumerable.Range(1, Numbers).Select(n => n * 7L), await _database.Db.List<long>("SELECT n FROM copies ORDER BY n", null, Ct));

        await Start<CopyJob>(); // and what has ended is not begun again
        Assert.Equal(after, await _store.Find(CopyJob.JobName, Ct));
    }

    [Fact]
    public async Task Why_a_job_fails_is_kept_and_what_its_batch_did_is_not()
    {
        await Start<FailingJob>();
        var failed = await Until("it fails", progress => progress.Failure is not null);
        Assert.Equal(("no luck", 0L, 0L, null), (failed.Failure, failed.Position, failed.Rows, failed.EndedAt));
        Assert.Equal(0, await _database.Db.GetOne<long>("SELECT count(*) FROM copies", null, Ct));
    }

    async Task Start<TJob>() where TJob : BackgroundJob => _hosts.Add(await LogHost.Start(_database, builder =>
    {
        builder.Configuration.AddInMemoryCollection([new("background_jobs:takeover_seconds", "3")]);
        builder.AddBackgroundJob<IHostApplicationBuilder, TJob>();
    }));

    async Task<JobProgress> Until(string what, Func<JobProgress, bool> isSo) =>
        (await Eventually.Get(what, () => _store.Find(CopyJob.JobName, Ct), progress => progress is not null && isSo(progress)))!;

    sealed class FailingJob : CopyJob
    {
        public override async Task<JobBatch> Next(DatabaseTransaction tx, long after, long goal, int most, CancellationToken ct)
        {
            await base.Next(tx, after, goal, most, ct);
            throw new InvalidOperationException("no luck");
        }
    }
}
