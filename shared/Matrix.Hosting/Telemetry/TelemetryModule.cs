using System.Diagnostics.Metrics;
using Matrix.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Matrix.Hosting.Telemetry;

static class TelemetryModule
{
    // the runtime, the web server and the libraries measure themselves; ours are all called Matrix.*
    static readonly string[] Meters =
    [
        "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime", "Npgsql", "MassTransit", "Matrix.*",
    ];

    // the default begins at 5, whatever the unit: every quantile of what takes milliseconds would be 4.75 s
    static readonly double[] s_seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    static readonly string[] Sources = ["Npgsql", "MassTransit", "Matrix.*"];

    public static void AddMatrixTelemetry(this WebApplicationBuilder builder, string service)
    {
        builder.Services.AddMatrixOptions<TelemetryOptions>();
        var options = new OptionsSection<TelemetryOptions>(builder.Configuration, null).Unchecked;
        CallersTraces.Add(builder.Services);
        var otlp = options.Opentelemetry.Endpoint;
        // what nobody can ask for is not counted: the gateway and the single process answer /metrics on an address of its own only
        var isAsked = options.EnableMetrics && (options.MetricsAddress is not null || !new ServiceName(service).IsPublic);
        if (!isAsked && otlp is null) return;

        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(service, "matrix"));
        telemetry.WithMetrics(metrics =>
        {
            metrics.AddMeter(Meters);
            metrics.AddView(View);
            if (isAsked) metrics.AddPrometheusExporter();
            if (otlp is not null) metrics.AddOtlpExporter(exporter => Send(exporter, options.Opentelemetry));
        });
        if (isAsked)
        {
            builder.Services.AddTransient<IStartupFilter, MetricsEndpoint>();
            builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>, MetricsListening>();
        }

        if (otlp is null) return;
        telemetry.WithTracing(traces => traces
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(options.Opentelemetry.SampleRatio)))
            .AddAspNetCoreInstrumentation(http => http.Filter = context => !IsOfTheProcess(context.Request.Path))
            .AddHttpClientInstrumentation()
            .AddSource(Sources)
            .AddOtlpExporter(exporter => Send(exporter, options.Opentelemetry)));
    }

    static MetricStreamConfiguration View(Instrument instrument)
    {
        // room for every combination of labels is taken in advance, 2000 for each of some hundred instruments if one does not say otherwise
        var combinations = HasManyLabels(instrument.Name) ? 1000 : 50;
        return instrument is Histogram<double> { Unit: "s", Advice: null } && instrument.Meter.Name.StartsWith("Matrix.", StringComparison.Ordinal)
            ? new ExplicitBucketHistogramConfiguration { Boundaries = s_seconds, CardinalityLimit = combinations }
            : new MetricStreamConfiguration { CardinalityLimit = combinations };
    }

    // by route, method and status
    static bool HasManyLabels(string instrument) => instrument is "http.server.request.duration";

    internal static bool IsOfTheProcess(PathString path) => path.Value is MetricsEndpoint.Path or "/health/live" or "/health/ready";

    static void Send(OtlpExporterOptions exporter, OpenTelemetrySection options)
    {
        exporter.Endpoint = options.Endpoint!;
        exporter.Protocol = options.Protocol == OtlpProtocol.Http ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
    }
}

/// <summary>/metrics, in Prometheus' text format.</summary>
sealed class MetricsEndpoint(TelemetryOptions options, ServiceName service) : IStartupFilter
{
    public const string Path = "/metrics";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseOpenTelemetryPrometheusScrapingEndpoint(IsAsked);
        next(app);
    };

    bool IsAsked(HttpContext context) =>
        context.Request.Path == Path
        && (options.MetricsAddress is { } address ? context.Connection.LocalPort == address.Port : !service.IsPublic);
}

/// <summary>Opens the port of <c>metrics_listen</c>.</summary>
sealed class MetricsListening(OptionsSection<TelemetryOptions> section) : IConfigureOptions<KestrelServerOptions>
{
    public void Configure(KestrelServerOptions options)
    {
        if (section.Unchecked.MetricsAddress is { } address) KestrelListening.Bind(options, address);
    }
}
