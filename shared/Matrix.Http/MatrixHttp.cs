using Matrix.Hosting;
using Matrix.Hosting.Configuration;
using Matrix.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.Http;

/// <summary>Two verbs: <see cref="AddMatrixHttp"/> before the host is built, <see cref="UseMatrixHttp"/> before the endpoints are mapped.</summary>
public static class MatrixHttp
{
    /// <summary>May be called by every module of a process.</summary>
    public static WebApplicationBuilder AddMatrixHttp(this WebApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<DatabaseOutage>();
        builder.Services.TryAddSingleton<SessionStore>();
        builder.Services.TryAddSingleton<DeviceStore>();
        builder.Services.TryAddSingleton<SessionFinder>();
        builder.Services.AddMatrixOptions<RateLimitOptions>();
        builder.Services.TryAddSingleton<RateLimits>();
        builder.Services.AddMatrixOptions<OriginLimitOptions>();
        builder.Services.TryAddSingleton<OriginLimits>();
        QueueProbes.Add(builder.Services);
        builder.Services.Configure<JsonOptions>(json => MatrixJson.Configure(json.SerializerOptions));
        // so that a parameter that does not parse reaches the error handler outside Development too
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        return builder;
    }

    /// <summary>Keeps sessions in memory, and ends them. For a service that follows the log; may be called by every module.</summary>
    public static WebApplicationBuilder AddSessionCache(this WebApplicationBuilder builder)
    {
        if (builder.Services.Any(service => service.ServiceType == typeof(SessionCache)))
            return builder;
        builder.Services.AddSingleton<SessionCacheStore>();
        builder.Services.AddSingleton<SessionEnding>();
        builder.Services.AddSingleton<SessionCache>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<SessionCache>());
        return builder;
    }

    /// <summary>CORS, errors, and paths as they were sent; once per process, before the modules' Map calls.</summary>
    public static WebApplication UseMatrixHttp(this WebApplication app)
    {
        app.Use(Cors.Handle);
        app.UseMiddleware<ErrorHandler>();
        app.Use(RawPath.KeepEncoded);
        app.Use(OldPaths.Rename);
        app.UseRouting();
        app.Use(RawPath.DecodeRouteValues);
        return app;
    }
}
