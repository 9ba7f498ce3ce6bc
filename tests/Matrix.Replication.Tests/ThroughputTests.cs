using System.Diagnostics;
using Matrix.Storage;
using Matrix.Testing;

namespace Matrix.Replication.Tests;

public sealed class ThroughputTests
{
    /// <summary>Prints what one process writes; nothing is asserted of the time.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(200)]
    public async Task Many_callers_share_the_commits(int callers)
    {
        const int changes = 4000;
        await using var database = await TestDatabase.Create();
        await database.Db.Execute(Note.Schema);
        await using var host = await LogHost.Start(database);
        var left = callers == 1 ? changes / 10 : changes;
        var total = left;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
                await host.Append(new Note(Guid.NewGuid()));
        }));
        watch.Stop();
        var commits = await database.Db.GetOne<long>("SELECT sum(batch)::bigint FROM log_writers");
        Assert.Equal(total, await database.Db.GetOne<long>("SELECT position FROM log_head"));
        Assert.InRange(commits, 1, total);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{callers} callers: {total / watch.Elapsed.TotalSeconds:n0} changes/s in {commits / watch.Elapsed.TotalSeconds:n0} commits/s");
    }
}
