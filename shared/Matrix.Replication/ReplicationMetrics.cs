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

    public static void Committed(int changes, int entries)
    {
        Batches.Add(1);
        Changes.Add(changes);
        Entries.Add(entries);
    }

    public static void CommitTook(TimeSpan time) => CommitTime.Record(time.TotalSeconds);

    public static void FilledGap(int entries) => Filled.Add(entries);
}
