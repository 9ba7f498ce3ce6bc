using System.Diagnostics.Metrics;

namespace Matrix.Rooms;

/// <summary>The meter <c>Matrix.Rooms</c>.</summary>
static class RoomsMetrics
{
    static readonly Meter Meter = new("Matrix.Rooms");
    static readonly Histogram<double> Resolution = Meter.CreateHistogram<double>("matrix.state.resolution", "s", "Time of one state resolution");

    public static void Resolved(TimeSpan time) => Resolution.Record(time.TotalSeconds);
}
