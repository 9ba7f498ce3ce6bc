using Matrix.Hosting.Configuration;
using Matrix.Hosting.Health;
using Matrix.Hosting.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.Hosting;

/// <summary>What every process has in common: homeserver.yaml, logs, health, and a graceful stop.</summary>
public static class MatrixHost
{
    /// <summary>
    /// Reads the file of <c>--config-path</c> (or of the environment variable MATRIX_CONFIG), lets <c>MATRIX__key__subkey</c>
    /// override each value, and prepares a lean web host that listens on the key <c>listen</c>.
    /// </summary>
    /// <param name="service">The service's name in logs, metrics and traces, such as <c>client-api</c>.</param>
    public static WebApplicationBuilder CreateBuilder(string[] args, string service)
    {
        // else ASP.NET watches every file below the working folder, which is the server's data: logs, media, the private services' files
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = service,
            ContentRootPath = AppContext.BaseDirectory,
            Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        builder.Configuration.Sources.Clear();
        if (ConfigPath(args) is { } path)
        {
            var file = new YamlConfigurationSource(Path.GetFullPath(path));
            builder.Configuration.Sources.Add(file);
            builder.Services.AddConfigurationCheck(_ => file.Mistakes);
        }

        builder.Configuration.AddEnvironmentVariables("MATRIX__");

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new ServiceName(service));
        builder.Services.AddHostedService<ConfigurationStartup>();
        builder.Services.AddMatrixOptions<HomeserverOptions>();
        builder.AddMatrixLogging(service);
        builder.AddMatrixHealth();
        builder.AddMatrixTelemetry(service);
        builder.AddListenAddresses();
        return builder;
    }

    static string? ConfigPath(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--config-path" && i + 1 < args.Length) return args[i + 1];
            if (args[i].StartsWith("--config-path=", StringComparison.Ordinal)) return args[i]["--config-path=".Length..];
        }

        return Environment.GetEnvironmentVariable("MATRIX_CONFIG") is { Length: > 0 } path ? path : null;
    }
}

/// <summary>The name of the running service, such as <c>client-api</c>.</summary>
public sealed record ServiceName(string Value)
{
    /// <summary>Does it answer to anybody, not to the gateway alone?</summary>
    public bool IsPublic => Value is "gateway" or "all-in-one";
}
