using System.Diagnostics;
using Matrix.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Context.Propagation;

namespace Matrix.Hosting.Telemetry;

/// <summary>
/// Whether a request goes on with the trace that its caller names. A service that only the gateway reaches does; the gateway and the single process, which anybody
/// reaches, begin a trace of their own: else whoever writes <c>traceparent</c> decides what is sampled, and puts spans into others' traces.
/// <c>opentelemetry.accept_callers</c> says that a proxy of ours is in front of them, which sets the header itself.
/// </summary>
public sealed class CallersTraces(OptionsSection<TelemetryOptions> options, ServiceName service)
{
    static readonly string[] s_headers = ["traceparent", "tracestate", "baggage"];

    public bool AreAccepted => !service.IsPublic || options.Unchecked.Opentelemetry.AcceptCallers;

    /// <summary>What a request to another process of ours must not have of the caller's.</summary>
    public void Remove(HttpRequestMessage request)
    {
        if (AreAccepted) return;
        foreach (var header in s_headers) request.Headers.Remove(header);
    }

    internal static void Add(IServiceCollection services)
    {
        services.AddSingleton<CallersTraces>();
        // with any other OpenTelemetry reads the headers again, behind the web server's back
        Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());
        services.AddSingleton(provider => provider.GetRequiredService<CallersTraces>().AreAccepted ? DistributedContextPropagator.Current : new Deaf());
    }

    /// <summary>Tells on, but does not listen.</summary>
    sealed class Deaf : DistributedContextPropagator
    {
        readonly DistributedContextPropagator _w3c = CreateW3CPropagator();

        public override IReadOnlyCollection<string> Fields => _w3c.Fields;

        public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) => _w3c.Inject(activity, carrier, setter);

        public override void ExtractTraceIdAndState(object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState) => (traceId, traceState) = (null, null);

        public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) => null;
    }
}
