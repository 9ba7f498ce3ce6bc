using System.ComponentModel.DataAnnotations;

namespace Matrix.Hosting.Telemetry;

/// <summary>Metrics and traces: keys of the top level and the section <c>opentelemetry</c>.</summary>
public sealed class TelemetryOptions : IValidatableObject
{
    /// <summary>Measure, and answer Prometheus at <c>/metrics</c>.</summary>
    public bool EnableMetrics { get; init; } = true;

    /// <summary>
    /// An address for <c>/metrics</c> alone, such as <c>http://127.0.0.1:9100</c>. The gateway and all-in-one, which anybody can reach, answer it there
    /// only; the other services answer it on their own port too where this is left out.
    /// </summary>
    public string? MetricsListen { get; init; }

    public OpenTelemetrySection Opentelemetry { get; init; } = new();

    internal Uri? MetricsAddress => string.IsNullOrEmpty(MetricsListen) ? null : ListenOptions.Parse(MetricsListen);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!string.IsNullOrEmpty(MetricsListen) && MetricsAddress is null)
            yield return new ValidationResult($"'{MetricsListen}' is not an address such as http://127.0.0.1:9100", [nameof(MetricsListen)]);
    }
}

/// <summary>Where metrics and traces are sent (OTLP). Without an endpoint nothing is sent, and traces cost nothing.</summary>
public sealed class OpenTelemetrySection
{
    /// <summary>A collector, such as <c>http://127.0.0.1:4317</c>. Left out: nothing is sent, and traces cost nothing.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>How the collector is spoken to; <c>http</c> sends protobuf over HTTP.</summary>
    public OtlpProtocol Protocol { get; init; }

    /// <summary>The part of requests that is traced, where the caller has not decided it.</summary>
    [Range(0.0, 1.0)] public double SampleRatio { get; init; } = 0.05;

    /// <summary>
    /// True: a proxy of ours in front of the gateway sets <c>traceparent</c> and lets no caller's through, so that its traces go on here. False: what comes from outside
    /// begins a new trace.
    /// </summary>
    public bool AcceptCallers { get; init; }
}

public enum OtlpProtocol
{
    Grpc,
    Http,
}
