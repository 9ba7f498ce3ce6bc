using System.Diagnostics.Metrics;

namespace Matrix.Hosting.Overload;

/// <summary>The meter <c>Matrix.Overload</c>.</summary>
public sealed class OverloadMetrics : IDisposable
{
    readonly Meter _meter = new("Matrix.Overload");
    readonly Counter<long> _refused;
    readonly Histogram<double> _queueing;

    public OverloadMetrics()
    {
        _refused = _meter.CreateCounter<long>("matrix.overload.refused", description: "Requests refused because there was more to do than could be done");
        _queueing = _meter.CreateHistogram<double>("matrix.overload.queueing", "s", "How long one queued to be looked at, for a thread, a connection or a commit, measured under load");
    }

    public void Watch(Func<int> working, Func<int> limit)
    {
        _meter.CreateObservableGauge("matrix.overload.working", working, description: "Requests at work; those that wait for news are not");
        _meter.CreateObservableGauge("matrix.overload.limit", limit, description: "Requests that may be at work");
    }

    internal void Refused() => _refused.Add(1);

    internal void Queued(TimeSpan time) => _queueing.Record(time.TotalSeconds);

    public void Dispose() => _meter.Dispose();
}
