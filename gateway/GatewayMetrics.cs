using System.Diagnostics.Metrics;

namespace Matrix.Gateway;

sealed class GatewayMetrics : IDisposable
{
    readonly Meter _meter = new("Matrix.Gateway");
    readonly Counter<long> _notTaken, _kept, _keptBytes;

    public GatewayMetrics()
    {
        _notTaken = _meter.CreateCounter<long>("matrix.gateway.not_taken", description: "Requests that a replica did not take, and that went on to another");
        _kept = _meter.CreateCounter<long>("matrix.gateway.kept_answers", description: "Answers whose body was kept here");
        _keptBytes = _meter.CreateCounter<long>("matrix.gateway.kept_sent", "By", "Bytes of those");
    }

    public void NotTaken(string service) => _notTaken.Add(1, new KeyValuePair<string, object?>("service", service));

    public void KeptSent(long bytes)
    {
        _kept.Add(1);
        _keptBytes.Add(bytes);
    }

    public void WatchKept(Func<long> bytes) =>
        _meter.CreateObservableGauge("matrix.gateway.kept_bodies", bytes, "By", "Memory that bodies of media take, kept or on their way");

    public void Dispose() => _meter.Dispose();
}
