using Matrix.Storage.Caching;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Matrix.Storage;

public static class StorageModule
{
    /// <summary>
    /// Adds the database that <c>database.args</c> names as <see cref="NpgsqlDataSource"/>, and brings its schema up to date and checks
    /// whose it is (<c>server_name</c>) before anything else of the host starts. May be called by every module.
    /// </summary>
    public static IServiceCollection AddStorage(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddCaches(configuration);
        services.TryAddSingleton<DatabaseOutage>();
        if (services.Any(service => service.ServiceType == typeof(NpgsqlDataSource)))
            return services;
        services.AddSection<DatabaseOptions>(configuration, "database:args");
        services.AddSection<SchemaOptions>(configuration, "database");
        services.AddSingleton(provider => Open(provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.ConnectionString));
        services.TryAddSingleton(TimeProvider.System);
        services.AddHostedService<DatabaseStartup>();
        services.AddHealthChecks().AddCheck<DatabaseHealth>("database");
        return services;
    }

    /// <summary>Adds a database by the driver's connection string, as it is: no migrations, no check.</summary>
    public static IServiceCollection AddStorage(this IServiceCollection services, string connectionString)
    {
        services.TryAddSingleton(_ => Open(connectionString));
        services.TryAddSingleton(TimeProvider.System);
        return services;
    }

    /// <summary>A pool as the services use it, for tools and tests.</summary>
    public static NpgsqlDataSource Open(string connectionString)
    {
        TypeHandlers.Register();
        return NpgsqlDataSource.Create(connectionString);
    }
}
