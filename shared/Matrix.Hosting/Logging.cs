using System.Globalization;
using Matrix.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Serilog;
using Serilog.Extensions.Logging;
using Serilog.Formatting.Compact;

namespace Matrix.Hosting;

static class Logging
{
    const string Template = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Service} {SourceContext} {RequestId} {Message:lj}{NewLine}{Exception}";

    public static void AddMatrixLogging(this WebApplicationBuilder builder, string service)
    {
        builder.Logging.ClearProviders();
        builder.Services.AddMatrixOptions<LogOptions>("log");
        // without the checks: a mistake is reported with all others, through this very logger
        builder.Services.AddSingleton<ILoggerProvider>(services => new SerilogLoggerProvider(
            Writer(services.GetRequiredService<OptionsSection<LogOptions>>().Unchecked, service), dispose: true));
        builder.Services.AddSingleton(services => new LogLevels(services.GetRequiredService<OptionsSection<LogOptions>>().Unchecked));
        builder.Services.AddSingleton<IConfigureOptions<LoggerFilterOptions>>(services => services.GetRequiredService<LogLevels>());
        builder.Services.AddSingleton<IOptionsChangeTokenSource<LoggerFilterOptions>>(services => services.GetRequiredService<LogLevels>());
        builder.Services.AddHostedService<LogLevelsFile>();
        // three more properties of each line, for traces that nobody may collect
        builder.Services.Configure<LoggerFactoryOptions>(factory => factory.ActivityTrackingOptions = ActivityTrackingOptions.None);
    }

    // takes everything: what is written at all is decided before it, where it can be changed (LogLevels)
    static Serilog.Core.Logger Writer(LogOptions options, string service)
    {
        var log = new LoggerConfiguration().MinimumLevel.Verbose().Enrich.FromLogContext().Enrich.WithProperty("Service", service);
        if (options.Format == LogFormat.Json) log.WriteTo.Console(new CompactJsonFormatter());
        else log.WriteTo.Console(outputTemplate: Template, formatProvider: CultureInfo.InvariantCulture);
        return log.CreateLogger();
    }
}
