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

    static readonly string[] Sources = ["Npgsql", "MassTransit", "Matrix.*"];

    public static void AddMatrixTelemetry(this WebApplicationBuilder builder, string service)
    {
        builder.Services.AddMatrixOptions<TelemetryOptions>();
        var options = new OptionsSection<TelemetryOptions>(builder.Configuration, null).Unchecked;
        var otlp = options.Opentelemetry.Endpoint;
        // what nobody can ask for is not counted: the gateway and the single process answer /metrics on an address of its own only
        var isAsked = options.EnableMetrics && (options.MetricsAddress is not null || !new ServiceName(service).IsPublic);
        if (!isAsked && otlp is null) return;

        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(service, "matrix"));
        telemetry.WithMetrics(metrics =>
        {
            metrics.AddMeter(Meters);
            // room for every combination of labels is taken in advance, 2000 for each of some hundred instruments if one does not say otherwise
            metrics.AddView(instrument => new MetricStreamConfiguration { CardinalityLimit = HasManyLabels(instrument.Name) ? 1000 : 50 });
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
