using System.Diagnostics;
using Matrix.Hosting.Configuration;
using Matrix.Hosting.Overload;
using Matrix.Hosting.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Serilog.Context;

namespace Matrix.Hosting.Health;

static class HealthEndpoints
{
    public static void AddMatrixHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddMatrixOptions<ShutdownOptions>();
        builder.Services.AddOptions<HostOptions>()
            .Configure<OptionsSection<ShutdownOptions>>((host, shutdown) => host.ShutdownTimeout = shutdown.Unchecked.ShutdownTimeout);
        builder.Services.AddSingleton<OpenConnections>();
        builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>>(services => services.GetRequiredService<OpenConnections>());
        builder.Services.AddSingleton<IConnectionListenerFactory>(services => services.GetRequiredService<OpenConnections>());
        builder.Services.AddSingleton<Shutdown>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Shutdown>());
        builder.Services.AddMatrixOptions<ProxyOptions>();
        builder.Services.AddSingleton<ForwardedFor>();
        builder.Services.AddMatrixOptions<OverloadOptions>("overload");
        builder.Services.AddSingleton<OverloadMetrics>();
        builder.Services.AddSingleton(Admit);
        builder.Services.AddHealthChecks();
        builder.Services.AddSingleton<HealthMetrics>();
        builder.Services.AddTransient<IStartupFilter, ProcessEndpoints>();
    }

    static Admission Admit(IServiceProvider services)
    {
        var metrics = services.GetRequiredService<OverloadMetrics>();
        var admission = new Admission(
            services.GetRequiredService<OverloadOptions>(), services.GetServices<QueueProbe>(), metrics, services.GetRequiredService<TimeProvider>());
        metrics.Watch(() => admission.Working, () => admission.Limit);
        return admission;
    }
}

/// <summary>
/// Answers, before everything else, what concerns the process alone: /health/live (the process answers), /health/ready (it should get
/// requests: not draining, and all registered health checks pass), sends every other request away while draining, and refuses what is too much.
/// The gateway never routes these paths.
/// </summary>
sealed partial class ProcessEndpoints(
    Shutdown shutdown, ServiceName service, ForwardedFor forwarded, IServiceProvider services, ILogger<ProcessEndpoints> log) : IStartupFilter
{
    // the gateway counts by replica, where it knows which one (Matrix.Gateway, AdmissionMiddleware)
    readonly Admission? _admission = service.Value == "gateway" ? null : services.GetRequiredService<Admission>();

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(Handle);
        next(app);
    };

    async Task Handle(HttpContext context, RequestDelegate next)
    {
        RequestIds.Apply(context);
        using var scope = LogContext.PushProperty("RequestId", context.TraceIdentifier);
        if (forwarded.IsTrusted) ForwardedFor.Apply(context);
        await (context.Request.Path.Value switch
        {
            "/health/live" => Answer(context, StatusCodes.Status200OK, """{"status":"live"}"""u8),
            "/health/ready" => Ready(context),
            _ when shutdown.IsDraining && service.IsPublic => ServeLast(context, next),
            _ when shutdown.IsDraining && CanGoElsewhere(context.Request) => SendAway(context),
            _ => Serve(context, next),
        });
    }

    async Task Serve(HttpContext context, RequestDelegate next)
    {
        if (_admission is null || context.Request.Path == MetricsEndpoint.Path)
        {
            await Pass(context, next);
            return;
        }

        using var work = await _admission.Enter(context.RequestAborted);
        if (work is null)
        {
            if (!service.IsPublic) context.Response.Headers[Refusal.Header] = "1";
            await Refusal.Write(context);
            return;
        }

        work.Begin();
        await Pass(context, next);
    }

    async Task Pass(HttpContext context, RequestDelegate next)
    {
        var began = Stopwatch.GetTimestamp();
        await next(context);
        if (!log.IsEnabled(LogLevel.Debug)) return;
        var path = context.Request.Path.Value ?? ""; // without the query, which may hold a token
        var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        Served(context.Request.Method, path, context.Response.StatusCode, took);
    }

    // a larger body is streamed through the gateway, which cannot send it twice
    static bool CanGoElsewhere(HttpRequest request) =>
        request.ContentLength is <= DrainingHeader.MovableBody || (request.ContentLength is null && request.Headers.TransferEncoding.Count == 0);

    /// <summary>The connection's last request: the next comes over another connection, to whoever listens then.</summary>
    Task ServeLast(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(() =>
        {
            if (!HttpProtocol.IsHttp2(context.Request.Protocol)) context.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        });
        return Serve(context, next);
    }

    async Task Ready(HttpContext context)
    {
        if (shutdown.IsDraining)
        {
            await SendAway(context);
            return;
        }

        var checks = context.RequestServices.GetRequiredService<HealthCheckService>();
        var report = await checks.CheckHealthAsync(context.RequestAborted);
        context.RequestServices.GetRequiredService<HealthMetrics>().Answered(report);
        var ready = report.Status != HealthStatus.Unhealthy;
        context.Response.StatusCode = ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await context.Response.WriteAsJsonAsync(
            new ReadyReport(ready ? "ready" : "not ready", report.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Status.ToString())),
            context.RequestAborted);
    }

    static Task SendAway(HttpContext context)
    {
        context.Response.Headers[DrainingHeader.Name] = "1";
        context.Response.Headers.Connection = "close";
        return Answer(context, StatusCodes.Status503ServiceUnavailable,
            """{"errcode":"M_UNKNOWN","error":"This replica is stopping."}"""u8);
    }

    static Task Answer(HttpContext context, int status, ReadOnlySpan<byte> json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.Body.WriteAsync(json.ToArray(), context.RequestAborted).AsTask();
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Path} {Status} in {Milliseconds:0.0} ms")]
    partial void Served(string method, string path, int status, double milliseconds);

    sealed record ReadyReport(string Status, Dictionary<string, string> Checks);
}

/// <summary>Says that a replica refused a request because it is stopping, before it looked at it: another replica may get it.</summary>
public static class DrainingHeader
{
    public const string Name = "X-Matrix-Draining";

    /// <summary>Bytes of a body that the gateway holds, so that it can send the request to another replica.</summary>
    public const int MovableBody = 64 * 1024;
}
