using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Matrix.Hosting.Health;

/// <summary>The meter <c>Matrix.Health</c>: what the last question for /health/ready was answered, which the gateway and Kubernetes ask every few seconds.</summary>
sealed class HealthMetrics : IDisposable
{
    readonly Meter _meter = new("Matrix.Health");
    volatile HealthReport? _last;

    public HealthMetrics()
    {
        _meter.CreateObservableGauge("matrix.health.ready", Ready, description: "1: it takes requests; 0: it does not");
        _meter.CreateObservableGauge("matrix.health.check", Checks, description: "1: what the check asks is well; 0.5: it does without; 0: not ready because of it");
    }

    public void Answered(HealthReport report) => _last = report;

    // nobody has asked yet: nothing is said
    IEnumerable<Measurement<int>> Ready() => _last is { } last ? [new(last.Status == HealthStatus.Unhealthy ? 0 : 1)] : [];

    IEnumerable<Measurement<double>> Checks() => _last is { } last
        ? last.Entries.Select(entry => new Measurement<double>(
            entry.Value.Status switch { HealthStatus.Healthy => 1, HealthStatus.Degraded => 0.5, _ => 0 }, new KeyValuePair<string, object?>("check", entry.Key)))
        : [];

    public void Dispose() => _meter.Dispose();
}
