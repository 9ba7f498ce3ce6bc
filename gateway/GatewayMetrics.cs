using System.Diagnostics.Metrics;

namespace Matrix.Gateway;

sealed class GatewayMetrics : IDisposable
{
    readonly Meter _meter = new("Matrix.Gateway");
    readonly Counter<long> _notTaken;

    public GatewayMetrics() =>
        _notTaken = _meter.CreateCounter<long>("matrix.gateway.not_taken", description: "Requests that a replica did not take, and that went on to another");

    public void NotTaken(string service) => _notTaken.Add(1, new KeyValuePair<string, object?>("service", service));

    public void Dispose() => _meter.Dispose();
}
