using System.Diagnostics.Metrics;
using Matrix.Pusher.Http;

namespace Matrix.Pusher.Work;

/// <summary>The meter <c>Matrix.Pusher</c>.</summary>
static class PushMetrics
{
    static readonly Meter Meter = new("Matrix.Pusher");
    static readonly Counter<long> Deliveries = Meter.CreateCounter<long>("matrix.push.deliveries", description: "What became of events for pushers");
    static readonly Histogram<double> Time = Meter.CreateHistogram<double>("matrix.push.delivery", "s", "Time of one delivery, until its gateway answered or it was given up");

    static readonly KeyValuePair<string, object?>[] Outcomes =
        [.. Enum.GetNames<DeliveryOutcome>().Select(name => new KeyValuePair<string, object?>("outcome", name.ToLowerInvariant()))];

    public static void Count(DeliveryOutcome outcome) => Deliveries.Add(1, Outcomes[(int)outcome]);

    public static void Took(TimeSpan time) => Time.Record(time.TotalSeconds);

    /// <summary>The queues of this replica, counted when somebody asks.</summary>
    public static IDisposable Observe(PushRunner runner)
    {
        var meter = new Meter("Matrix.Pusher");
        meter.CreateObservableGauge("matrix.push.queued", () => runner.Waiting, description: "Events that wait for push gateways");
        meter.CreateObservableGauge("matrix.push.pushers.working", () => runner.Working, description: "Pushers whose gateways are being told something");
        meter.CreateObservableGauge("matrix.push.pushers.failing", () => runner.Failing, description: "Pushers whose gateways failed and are tried again");
        return meter;
    }
}
