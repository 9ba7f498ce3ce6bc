using Matrix.Storage.Caching;
using Matrix.Storage.Federation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

public static class FederationModule
{
    /// <summary>
    /// Adds this server's name and key, and how it speaks with others: <see cref="FederationClient"/>, <see cref="KeyRing"/>,
    /// <see cref="EventVerifier"/>. Needs a database. May be called by every module.
    /// </summary>
    public static IServiceCollection AddFederation(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(ServerSigningKey)))
        {
            return services;
        }
        services.AddOptions<FederationOptions>().Configure(options => FederationOptionsReader.Read(configuration, options)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<FederationOptions>, FederationOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddCaches(configuration);
        services.AddSingleton<ServerSigningKey>();
        services.AddSingleton<ServerKeyDocument>();
        services.AddSingleton<PictureLinks>();
        services.TryAddSingleton<Names>();
        services.AddSingleton<FederationConnections>();
        services.AddSingleton<WellKnown>();
        services.AddSingleton<ServerDiscovery>();
        services.AddSingleton<DestinationRetryStore>();
        services.AddSingleton<DestinationBackoff>();
        services.AddSingleton<FederationClient>();
        services.AddSingleton<ServerKeyStore>();
        services.AddSingleton<KeyFetcher>();
        services.AddSingleton(KeyRing.Create);
        services.AddSingleton<EventVerifier>();
        services.AddSingleton<KeyNotary>();
        return services;
    }
}
