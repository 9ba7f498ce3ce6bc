using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

public static class FederationModule
{
    /// <summary>Adds this server's name and <see cref="ServerSigningKey"/>. May be called by every module.</summary>
    public static IServiceCollection AddFederation(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(ServerSigningKey)))
        {
            return services;
        }
        services.AddOptions<FederationOptions>().Configure(options => Read(configuration, options)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<FederationOptions>, FederationOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ServerSigningKey>();
        services.AddSingleton<ServerKeyDocument>();
        return services;
    }

    static void Read(IConfiguration configuration, FederationOptions options)
    {
        options.ServerName = configuration["server_name"] ?? options.ServerName;
        options.SigningKeyPath = configuration["signing_key_path"] ?? options.SigningKeyPath;
        options.ServeServerWellknown = configuration.GetValue("serve_server_wellknown", options.ServeServerWellknown);
        foreach (var old in configuration.GetSection("old_signing_keys").GetChildren())
        {
            options.OldSigningKeys[old.Key] = new OldSigningKey { Key = old["key"] ?? "", ExpiredTs = old.GetValue("expired_ts", 0L) };
        }
    }
}
