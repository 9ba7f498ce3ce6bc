using System.Globalization;
using Matrix.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace Matrix.Hosting;

static class Logging
{
    const string Template = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Service} {SourceContext} {RequestId} {Message:lj}{NewLine}{Exception}";

    public static void AddMatrixLogging(this WebApplicationBuilder builder, string service)
    {
        builder.Logging.ClearProviders();
        builder.Services.AddMatrixOptions<LogOptions>("log");
        builder.Services.AddSerilog((_, log) => Configure(log, Read(builder.Configuration), service));
    }

    // without the checks: a mistake is reported with all others, through this very logger
    static LogOptions Read(ConfigurationManager configuration) =>
        (LogOptions)new OptionsReader([]).Read(typeof(LogOptions), configuration.GetSection("log"), "log.");

    static void Configure(LoggerConfiguration log, LogOptions options, string service)
    {
        var libraries = options.Level > LogEventLevel.Warning ? options.Level : LogEventLevel.Warning;
        log.MinimumLevel.Is(options.Level)
            .MinimumLevel.Override("Microsoft", libraries)
            .MinimumLevel.Override("System.Net.Http", libraries)
            .MinimumLevel.Override("Yarp", libraries)
            // a stack trace for each replica that restarts and each client that hangs up; YARP's health category says it in a line
            .MinimumLevel.Override("Yarp.ReverseProxy.Forwarder", LogEventLevel.Fatal)
            .MinimumLevel.Override("Yarp.ReverseProxy.Health.ActiveHealthCheckMonitor", LogEventLevel.Fatal)
            // its scope would put the server's own RequestId before ours (RequestIds)
            .MinimumLevel.Override("Microsoft.AspNetCore.Hosting.Diagnostics", LevelAlias.Off)
            // a stack trace for each attempt while RabbitMQ is away; the replication's own state says it in a line
            .MinimumLevel.Override("MassTransit", LogEventLevel.Fatal)
            // a line for each probe; what is amiss is said by whoever finds it, and in the probe's answer
            .MinimumLevel.Override("Microsoft.Extensions.Diagnostics.HealthChecks", LogEventLevel.Fatal)
            .Enrich.FromLogContext()
            .Enrich.WithProperty("Service", service);
        foreach (var (category, level) in options.Levels) log.MinimumLevel.Override(category, level);
        if (options.Format == LogFormat.Json) log.WriteTo.Console(new CompactJsonFormatter());
        else log.WriteTo.Console(outputTemplate: Template, formatProvider: CultureInfo.InvariantCulture);
    }
}
