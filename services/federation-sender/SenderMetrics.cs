using System.Diagnostics.Metrics;
using Matrix.FederationSender.Queues;

namespace Matrix.FederationSender;

/// <summary>The meter <c>Matrix.FederationSender</c>.</summary>
static class SenderMetrics
{
    static readonly Meter Meter = new("Matrix.FederationSender");
    static readonly Counter<long> Transactions = Meter.CreateCounter<long>("matrix.federation.transactions", description: "Transactions delivered");
    static readonly Counter<long> Pdus = Meter.CreateCounter<long>("matrix.federation.pdus", description: "PDUs delivered");
    static readonly Counter<long> Edus = Meter.CreateCounter<long>("matrix.federation.edus", description: "EDUs delivered");
    static readonly Counter<long> Failures = Meter.CreateCounter<long>("matrix.federation.failures", description: "Transactions that were not taken");
    static readonly Counter<long> Omitted = Meter.CreateCounter<long>("matrix.federation.omitted", description: "PDUs and EDUs that a destination refused and was not sent again");
    static readonly Histogram<double> Time = Meter.CreateHistogram<double>("matrix.federation.send", "s", "Time of one transaction");

    public static void Delivered(FederationTransaction transaction, TimeSpan took)
    {
        if (transaction.IsEmpty)
            return;
        Transactions.Add(1);
        Pdus.Add(transaction.Pdus.Count);
        Edus.Add(transaction.Edus.Count + transaction.Messages.Count);
        Time.Record(took.TotalSeconds);
    }

    public static void Failed() => Failures.Add(1);

    public static void LeftOut() => Omitted.Add(1);

    /// <summary>The state of the queues of this replica, asked for when somebody looks.</summary>
    public static IDisposable Observe(Deliveries deliveries)
    {
        var meter = new Meter("Matrix.FederationSender");
        meter.CreateObservableGauge("matrix.federation.destinations", () => deliveries.All.LongCount(), description: "Destinations with a queue in memory");
        meter.CreateObservableGauge(
            "matrix.federation.destinations.failing", () => deliveries.All.LongCount(d => d.Failing is not null), description: "Destinations that fail");
        meter.CreateObservableGauge("matrix.federation.queued", () => deliveries.All.Sum(d => (long)d.Depth.Pdus), description: "PDUs that wait in memory");
        meter.CreateObservableGauge("matrix.federation.shards", () => deliveries.Held.LongCount(), description: "Shards held");
        return meter;
    }
}
