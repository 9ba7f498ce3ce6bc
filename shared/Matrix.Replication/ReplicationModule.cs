using MassTransit;
using Matrix.Storage;
using Matrix.Storage.Jobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Matrix.Replication;

public static class ReplicationModule
{
    /// <summary>
    /// Adds the log (writer and follower), leases and rate buckets, over the Postgres, RabbitMQ and Redis that the configuration names.
    /// The host calls it once, whatever modules it has. Only Postgres has to be there; without the others it is slower.
    /// </summary>
    /// <param name="relaxed">The process does nothing that has to happen at once (<see cref="LogFollowerOptions.Relaxed"/>).</param>
    /// <param name="called">Though relaxed, it is to know of pushers at once (<see cref="LogCall"/>).</param>
    public static T AddReplication<T>(this T builder, bool relaxed = false, bool called = false) where T : IHostApplicationBuilder
    {
        builder.Services.TryAddSingleton(new LogFollowerOptions { Relaxed = relaxed, IsCalled = called });
        builder.Services.AddSection<RabbitMqOptions>(builder.Configuration, "rabbitmq");
        builder.Services.AddSection<RedisOptions>(builder.Configuration, "redis");
        builder.Services.AddSingleton(services => Redis(services, services.GetRequiredService<IOptions<RedisOptions>>().Value));
        return builder.Add(BusConfiguration.UseRabbitMq);
    }

    /// <summary>Leases and rate buckets alone: for a service that neither writes nor follows the log.</summary>
    public static T AddLeasesAndLimits<T>(this T builder) where T : IHostApplicationBuilder
    {
        builder.Services.AddStorage(builder.Configuration);
        builder.Services.AddSection<RedisOptions>(builder.Configuration, "redis");
        builder.Services.AddSingleton(services => Redis(services, services.GetRequiredService<IOptions<RedisOptions>>().Value));
        builder.Services.AddSingleton<RateBuckets>();
        AddHosted<Leases>(builder.Services);
        return builder;
    }

    /// <summary>The same for a homeserver that is a single process: no RabbitMQ and no Redis.</summary>
    public static T AddReplicationInProcess<T>(this T builder) where T : IHostApplicationBuilder
    {
        builder.Services.AddSingleton(services => Redis(services, options: null));
        return builder.Add(BusConfiguration.UseMemory);
    }

    /// <summary>Long work over what is stored already, done once by one replica of those that add it.</summary>
    public static T AddBackgroundJob<T, TJob>(this T builder) where T : IHostApplicationBuilder where TJob : BackgroundJob
    {
        builder.Services.AddSection<BackgroundJobOptions>(builder.Configuration, "background_jobs");
        builder.Services.AddSingleton<BackgroundJob, TJob>();
        builder.Services.TryAddSingleton<BackgroundJobStore>();
        if (!builder.Services.Any(service => service.ServiceType == typeof(BackgroundJobs)))
            AddHosted<BackgroundJobs>(builder.Services);
        return builder;
    }

    static T Add<T>(this T builder, Action<IBusRegistrationConfigurator> transport) where T : IHostApplicationBuilder
    {
        var services = builder.Services;
        services.AddStorage(builder.Configuration);
        services.TryAddSingleton(new LogWriterOptions());
        services.TryAddSingleton(new LogFollowerOptions());
        services.AddSingleton<BusState>();
        services.AddSingleton<LogReader>();
        services.AddSingleton<SharedPosition>();
        services.AddSingleton<RateBuckets>();
        services.AddSingleton<LogAttention>();
        AddHosted<Leases>(services);
        AddHosted<EphemeralChannel>(services);
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            transport(bus);
        });
        services.Configure<MassTransitHostOptions>(host =>
        {
            host.WaitUntilStarted = false;
            host.StopTimeout = TimeSpan.FromSeconds(5);
        });
        // Stopped in reverse: the writer first, while the bus still announces what it commits.
        AddHosted<LogFollower>(services);
        AddHosted<LogAnnouncer>(services);
        AddHosted<LogWriter>(services);
        services.AddHealthChecks().AddCheck<LogHealth>("log").AddCheck<BusState>("bus");
        services.Configure<HealthCheckServiceOptions>(checks => // MassTransit's own has a stack trace for each probe
            checks.Registrations.Where(check => check.Name.StartsWith("masstransit", StringComparison.Ordinal)).ToList()
                .ForEach(check => checks.Registrations.Remove(check)));
        return builder;
    }

    static RedisConnection Redis(IServiceProvider services, RedisOptions? options) => new(
        options, $"matrix:{services.GetRequiredService<IConfiguration>()["server_name"]}:", services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<ILogger<RedisConnection>>());

    static void AddHosted<T>(IServiceCollection services) where T : class, IHostedService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}

/// <summary>Ready once the follower knows where the log is.</summary>
sealed class LogHealth(LogFollower follower) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(follower.Started.IsCompleted ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The log has not been read yet."));
}
