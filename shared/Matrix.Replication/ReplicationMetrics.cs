using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Matrix.Replication;

/// <summary>The meter <c>Matrix.Replication</c>.</summary>
static class ReplicationMetrics
{
    static readonly Meter Meter = new("Matrix.Replication");
    static readonly Counter<long> Batches = Meter.CreateCounter<long>("matrix.log.batches", description: "Commits of the log writer");
    static readonly Counter<long> Changes = Meter.CreateCounter<long>("matrix.log.changes", description: "Changes committed");
    static readonly Counter<long> Entries = Meter.CreateCounter<long>("matrix.log.entries", description: "Entries committed");
    static readonly Counter<long> Filled = Meter.CreateCounter<long>("matrix.log.filled", description: "Entries that a follower read from Postgres");
    static readonly Histogram<double> CommitTime = Meter.CreateHistogram<double>("matrix.log.commit", "s", "Time of one commit");

    static readonly Histogram<double> WaitTime = Meter.CreateHistogram<double>("matrix.log.wait", "s",
        "How long the first change of a batch waited for it to begin");
    static readonly Histogram<long> BatchSize = Meter.CreateHistogram<long>("matrix.log.batch_size", description: "Changes in a batch",
        advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500] });

    static readonly Counter<long> JobRows = Meter.CreateCounter<long>("matrix.jobs.rows", description: "Rows that background jobs have looked at");
    static readonly Counter<long> JobFailures = Meter.CreateCounter<long>("matrix.jobs.failures", description: "Batches of background jobs that failed, and are tried again");
    static readonly ConcurrentDictionary<string, double> JobParts = [];

    static ReplicationMetrics() => Meter.CreateObservableGauge("matrix.jobs.done",
        () => JobParts.Select(job => new Measurement<double>(job.Value, new KeyValuePair<string, object?>("background_job", job.Key))),
        description: "How much of a background job is done, from 0 to 1, where it was done last");

    public static void JobWent(string job, int rows, double part)
    {
        JobRows.Add(rows, new KeyValuePair<string, object?>("background_job", job));
        JobParts[job] = part;
    }

    public static void JobFailed(string job) => JobFailures.Add(1, new KeyValuePair<string, object?>("background_job", job));

    public static void Begun(int changes, TimeSpan waited)
    {
        BatchSize.Record(changes);
        WaitTime.Record(waited.TotalSeconds);
    }

    public static void Committed(int changes, int entries)
    {
        Batches.Add(1);
        Changes.Add(changes);
        Entries.Add(entries);
    }

    public static void CommitTook(TimeSpan time) => CommitTime.Record(time.TotalSeconds);

    public static void FilledGap(int entries) => Filled.Add(entries);

    /// <summary>Until it is disposed, tells where this process is in the log.</summary>
    public static IDisposable Watch(LogFollower follower)
    {
        var meter = new Meter("Matrix.Replication");
        meter.CreateObservableGauge("matrix.log.position", () => follower.Position.Value, description: "The newest entry that was applied here");
        meter.CreateObservableGauge("matrix.log.lag", () => follower.Heard.Value - follower.Position.Value, description: "Entries heard of and not yet applied here");
        meter.CreateObservableGauge("matrix.log.age", () => follower.Age.TotalSeconds, "s", "Everything committed longer ago was applied here");
        return meter;
    }
}
