using System.Diagnostics.Metrics;
using Matrix.Pusher.Http;

namespace Matrix.Pusher.Work;

/// <summary>The meter <c>Matrix.Pusher</c>.</summary>
static class PushMetrics
{
    static readonly Meter Meter = new("Matrix.Pusher");
    static readonly Counter<long> Deliveries = Meter.CreateCounter<long>("matrix.push.deliveries", description: "What became of events for pushers");

    static readonly KeyValuePair<string, object?>[] Outcomes =
        [.. Enum.GetNames<DeliveryOutcome>().Select(name => new KeyValuePair<string, object?>("outcome", name.ToLowerInvariant()))];

    public static void Count(DeliveryOutcome outcome) => Deliveries.Add(1, Outcomes[(int)outcome]);
}
