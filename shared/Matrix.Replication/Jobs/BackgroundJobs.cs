using System.Diagnostics;
using Matrix.Storage;
using Matrix.Storage.Jobs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Matrix.Replication;

/// <summary>
/// Does the jobs of this process, each in one replica at a time (a lease), in batches that take about a fifth of a second, with rests between them. Batch and
/// position are one transaction, under the row's lock: a replica that is killed, or was asleep while another went on, changes nothing of the outcome.
/// </summary>
public sealed partial class BackgroundJobs(
    IEnumerable<BackgroundJob> jobs, NpgsqlDataSource db, BackgroundJobStore store, Leases leases, IOptions<BackgroundJobOptions> options, TimeProvider time,
    ILogger<BackgroundJobs> logger) : BackgroundService
{
    const int First = 100, Fewest = 10, Most = 10_000;
    static readonly TimeSpan BatchTime = TimeSpan.FromMilliseconds(200), Rest = TimeSpan.FromMilliseconds(10), AfterFailure = TimeSpan.FromSeconds(30);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(jobs.Where(job => job.IsWanted).Select(job => Do(job, stoppingToken)));

    async Task Do(BackgroundJob job, CancellationToken stopping)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await leases.Hold("job:" + job.Name, TimeSpan.FromSeconds(options.Value.TakeoverSeconds), async (_, ct) =>
        {
            var progress = await store.Find(job.Name, ct);
            if (progress is null)
                await Begin(job, ct);
            if (progress?.EndedAt is null)
                await Work(job, ct);
            await over.CancelAsync();
        }, over.Token);
    }

    async Task Begin(BackgroundJob job, CancellationToken ct)
    {
        await using var tx = await db.BeginTransaction(ct);
        await BackgroundJobStore.Begin(tx, job.Name, await job.Goal(tx, ct), ct);
        await tx.CommitAsync(ct);
    }

    async Task Work(BackgroundJob job, CancellationToken ct)
    {
        for (var most = First; ;)
        {
            var began = time.GetTimestamp();
            try
            {
                if (await Batch(job, most, ct))
                    return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested && !DatabaseOutage.IsOne(e))
            {
                ReplicationMetrics.JobFailed(job.Name);
                Failed(job.Name, e);
                await store.NoteFailure(job.Name, e.Message, ct);
                await Task.Delay(AfterFailure, time, ct);
                continue;
            }
            var took = time.GetElapsedTime(began);
            most = took > BatchTime ? Math.Max(Fewest, most / 2) : took < BatchTime / 4 ? Math.Min(Most, most * 2) : most;
            await Task.Delay(took * (1 / options.Value.Share - 1) + Rest, time, ct);
        }
    }

    /// <returns>True when nothing is left.</returns>
    async Task<bool> Batch(BackgroundJob job, int most, CancellationToken ct)
    {
        await using var tx = await db.BeginTransaction(ct);
        var progress = await BackgroundJobStore.Lock(tx, job.Name, ct);
        if (progress.EndedAt is not null)
            return true;
        var batch = progress.Position < progress.Goal ? await job.Next(tx, progress.Position, progress.Goal, most, ct) : new(progress.Goal, 0);
        if (batch.Position <= progress.Position && progress.Position < progress.Goal)
            throw new UnreachableException($"{job.Name} does not get beyond {progress.Position}.");
        var isOver = batch.Position >= progress.Goal;
        if (isOver)
            await job.End(tx, ct);
        await BackgroundJobStore.Advance(tx, job.Name, batch.Position, batch.Rows, isOver, ct);
        await tx.CommitAsync(ct);
        ReplicationMetrics.JobWent(job.Name, batch.Rows, isOver ? 1 : (double)batch.Position / progress.Goal);
        if (isOver)
            Ended(job.Name, progress.Rows + batch.Rows);
        return isOver;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The background job {Job} has ended: {Rows} rows")]
    partial void Ended(string job, long rows);

    [LoggerMessage(Level = LogLevel.Error, Message = "The background job {Job} failed, and goes on later where it was")]
    partial void Failed(string job, Exception e);
}
