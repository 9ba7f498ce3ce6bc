using Matrix.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace Matrix.Hosting;

/// <summary>
/// Structured logs on standard output. <c>log.format</c>: <c>text</c> for people, <c>json</c> (one compact object a line) for machines;
/// <c>log.level</c> and <c>log.levels.CATEGORY</c>: verbose, debug, information, warning, error, fatal.
/// </summary>
static class Logging
{
    const string Template = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Service} {SourceContext} {RequestId} {Message:lj}{NewLine}{Exception}";

    public static void AddMatrixLogging(this WebApplicationBuilder builder, string service)
    {
        builder.Logging.ClearProviders();
        builder.Services.AddSerilog((_, log) => Configure(log, builder.Configuration, service));
    }

    static void Configure(LoggerConfiguration log, ConfigurationManager configuration, string service)
    {
        log.MinimumLevel.Is(Level(configuration["log:level"], LogEventLevel.Information))
            .MinimumLevel.Override("Microsoft.AspNetCore", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Extensions", LogEventLevel.Warning)
            .MinimumLevel.Override("System.Net.Http", LogEventLevel.Warning)
            .MinimumLevel.Override("Yarp", LogEventLevel.Warning)
            .MinimumLevel.Override("MassTransit", LogEventLevel.Warning)
            .Enrich.FromLogContext()
            .Enrich.WithProperty("Service", service);
        foreach (var category in configuration.GetSection("log:levels").GetChildren())
            log.MinimumLevel.Override(category.Key, Level(category.Value, LogEventLevel.Information));
        if (configuration["log:format"] == "json") log.WriteTo.Console(new CompactJsonFormatter());
        else log.WriteTo.Console(outputTemplate: Template, formatProvider: System.Globalization.CultureInfo.InvariantCulture);
    }

    static LogEventLevel Level(string? text, LogEventLevel otherwise) => text is null ? otherwise : text.ToUpperInvariant() switch
    {
        "VERBOSE" or "TRACE" => LogEventLevel.Verbose,
        "DEBUG" => LogEventLevel.Debug,
        "INFO" or "INFORMATION" => LogEventLevel.Information,
        "WARN" or "WARNING" => LogEventLevel.Warning,
        "ERROR" => LogEventLevel.Error,
        "FATAL" or "CRITICAL" => LogEventLevel.Fatal,
        _ => throw new ConfigurationException(
            [new ConfigurationMistake("log.level", $"'{text}' is not one of verbose, debug, information, warning, error, fatal")]),
    };
}
