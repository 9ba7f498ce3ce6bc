using Matrix.Storage;
using Microsoft.Extensions.Configuration;

namespace Matrix.Federation;

/// <summary>Fills <see cref="FederationOptions"/> from homeserver.yaml.</summary>
static class FederationOptionsReader
{
    public static void Read(IConfiguration configuration, FederationOptions options)
    {
        options.ServerName = configuration["server_name"] ?? options.ServerName;
        options.SigningKeyPath = configuration["signing_key_path"] ?? options.SigningKeyPath;
        options.KeyRefreshInterval = ConfiguredDuration.Read(configuration, "key_refresh_interval") ?? options.KeyRefreshInterval;
        options.ServeServerWellknown = ConfiguredFlag.Read(configuration, "serve_server_wellknown") ?? options.ServeServerWellknown;
        foreach (var (id, old) in ByKeyId(configuration.GetSection("old_signing_keys")))
        {
            options.OldSigningKeys[id] = new OldSigningKey { Key = old["key"] ?? "", ExpiredTs = old.GetValue("expired_ts", 0L) };
        }
        options.FederationCustomCaList = List(configuration, "federation_custom_ca_list") ?? [];
        options.FederationVerifyCertificates = ConfiguredFlag.Read(configuration, "federation_verify_certificates") ?? options.FederationVerifyCertificates;
        options.FederationCertificateVerificationWhitelist = List(configuration, "federation_certificate_verification_whitelist") ?? [];
        options.FederationDomainWhitelist = List(configuration, "federation_domain_whitelist");
        options.IpRangeBlacklist = List(configuration, "ip_range_blacklist") ?? options.IpRangeBlacklist;
        options.IpRangeWhitelist = List(configuration, "ip_range_whitelist") ?? [];
        options.TrustedKeyServers = [.. configuration.GetSection("trusted_key_servers").GetChildren().Select(KeyServer)];
        options.HttpsProxy = configuration["https_proxy"] ?? configuration["http_proxy"] ?? Environment("https_proxy") ?? Environment("HTTPS_PROXY");
        options.NoProxyHosts = List(configuration, "no_proxy_hosts") ?? Split(Environment("no_proxy") ?? Environment("NO_PROXY") ?? "");
        ReadTimes(configuration.GetSection("federation"), options.Times);
    }

    static void ReadTimes(IConfigurationSection section, FederationTimes times)
    {
        times.ClientTimeout = ConfiguredDuration.Read(section, "client_timeout") ?? times.ClientTimeout;
        times.DestinationMinRetryInterval = ConfiguredDuration.Read(section, "destination_min_retry_interval") ?? times.DestinationMinRetryInterval;
        times.DestinationRetryMultiplier = section.GetValue("destination_retry_multiplier", times.DestinationRetryMultiplier);
        times.DestinationMaxRetryInterval = ConfiguredDuration.Read(section, "destination_max_retry_interval") ?? times.DestinationMaxRetryInterval;
    }

    static TrustedKeyServer KeyServer(IConfigurationSection section) =>
        new(section["server_name"] ?? section.Value ?? "", ByKeyId(section.GetSection("verify_keys")).ToDictionary(key => key.Id, key => key.Section.Value ?? ""))
        {
            AcceptKeysInsecurely = ConfiguredFlag.Read(section, "accept_keys_insecurely") ?? false,
        };

    /// <summary>The colon in a key id is the one that separates the levels of configuration.</summary>
    static IEnumerable<(string Id, IConfigurationSection Section)> ByKeyId(IConfigurationSection section) =>
        from algorithm in section.GetChildren()
        from key in algorithm.GetChildren()
        select ($"{algorithm.Key}:{key.Key}", key);

    /// <summary>A list, or one value with commas; null where the key is absent.</summary>
    static string[]? List(IConfiguration configuration, string key)
    {
        var section = configuration.GetSection(key);
        if (section.Value is { } text)
            return Split(text);
        var children = section.GetChildren().ToList();
        return children.Count == 0 ? null : [.. children.Select(child => child.Value ?? "")];
    }

    static string[] Split(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    static string? Environment(string name) => System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
