using System.ComponentModel.DataAnnotations;
using Matrix.Protocol;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

/// <summary>Who this server is among the others, and how it speaks to them. Keys as in Synapse's configuration.</summary>
public sealed class FederationOptions : IValidatableObject
{
    /// <summary>The part of user ids after the colon. Can never change.</summary>
    [Required] public string ServerName { get; set; } = "";

    /// <summary>The file of the server's secret key: <c>ed25519 version seed</c>. Every service that signs must read the same one.</summary>
    [Required] public string SigningKeyPath { get; set; } = "signing.key";

    /// <summary>How long others may rely on a copy of our keys.</summary>
    public TimeSpan KeyRefreshInterval { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Keys that signed in the past, by key id, so that what they signed stays valid.</summary>
    public Dictionary<string, OldSigningKey> OldSigningKeys { get; } = [];

    /// <summary>Answer <c>/.well-known/matrix/server</c>: tells the others that we are to be reached on port 443 of the server name.</summary>
    public bool ServeServerWellknown { get; set; }

    /// <summary>PEM files of the authorities that may sign other servers' certificates, instead of the system's.</summary>
    public IReadOnlyList<string> FederationCustomCaList { get; set; } = [];

    /// <summary>False accepts any certificate: for tests alone.</summary>
    public bool FederationVerifyCertificates { get; set; } = true;

    /// <summary>Hosts whose certificates are not checked; <c>*</c> stands for any letters.</summary>
    public IReadOnlyList<string> FederationCertificateVerificationWhitelist { get; set; } = [];

    /// <summary>The only servers that we speak with, where it is set; an empty list means nobody.</summary>
    public IReadOnlyList<string>? FederationDomainWhitelist { get; set; }

    /// <summary>Addresses that we never connect to because another server says so (CIDR).</summary>
    public IReadOnlyList<string> IpRangeBlacklist { get; set; } = AddressRanges.NotPublic;

    /// <summary>Exceptions from <see cref="IpRangeBlacklist"/>.</summary>
    public IReadOnlyList<string> IpRangeWhitelist { get; set; } = [];

    /// <summary>Servers that are asked for others' keys before those are asked themselves.</summary>
    public IReadOnlyList<TrustedKeyServer> TrustedKeyServers { get; set; } = [];

    /// <summary>A proxy for what we ask of others: <c>http://user:password@host:port</c>; else the environment's <c>https_proxy</c>.</summary>
    public string? HttpsProxy { get; set; }

    /// <summary>Hosts that are asked without the proxy, with all hosts below them; addresses and CIDR ranges too.</summary>
    public IReadOnlyList<string> NoProxyHosts { get; set; } = [];

    /// <summary>The section <c>federation</c>.</summary>
    public FederationTimes Times { get; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ServerName.Length > 0 && !Protocol.ServerName.TryParse(ServerName, out _))
        {
            yield return new ValidationResult($"server_name: '{ServerName}' is not a server name.");
        }
        if (!File.Exists(SigningKeyPath))
        {
            yield return new ValidationResult($"signing_key_path: there is no file {SigningKeyPath}; matrixctl generate-config makes one.");
        }
        foreach (var (id, key) in OldSigningKeys.Where(old => !KeyId.TryParse(old.Key, out _) || VerifyKey.TryParse(old.Value.Key) == null))
        {
            yield return new ValidationResult($"old_signing_keys: '{id}' is not a key id, or '{key.Key}' is not a public key in base64.");
        }
        foreach (var file in FederationCustomCaList.Where(file => !File.Exists(file)))
        {
            yield return new ValidationResult($"federation_custom_ca_list: there is no file {file}");
        }
        foreach (var range in IpRangeBlacklist.Concat(IpRangeWhitelist).Where(range => !AddressRanges.TryParse(range, out _)))
        {
            yield return new ValidationResult($"ip_range_blacklist: '{range}' is not a range such as 10.0.0.0/8");
        }
        foreach (var server in TrustedKeyServers.Where(server => !server.IsValid))
        {
            yield return new ValidationResult($"trusted_key_servers: '{server.ServerName}' is not a server name, or one of its verify_keys is not a key.");
        }
        if (HttpsProxy != null && !Uri.TryCreate(HttpsProxy, UriKind.Absolute, out _))
        {
            yield return new ValidationResult($"https_proxy: '{HttpsProxy}' is not a URL.");
        }
    }
}

/// <summary>A key that signs no more. <c>ExpiredTs</c>: since when, Unix milliseconds.</summary>
public sealed record OldSigningKey
{
    public string Key { get; set; } = "";

    public long ExpiredTs { get; set; }
}

/// <summary>A server whose word on others' keys is taken.</summary>
/// <param name="VerifyKeys">Its keys by key id; empty takes those that it publishes.</param>
public sealed record TrustedKeyServer(string ServerName, IReadOnlyDictionary<string, string> VerifyKeys)
{
    public bool AcceptKeysInsecurely { get; init; }

    internal bool IsValid => Protocol.ServerName.TryParse(ServerName, out _)
        && VerifyKeys.All(key => KeyId.TryParse(key.Key, out _) && VerifyKey.TryParse(key.Value) != null);
}

/// <summary>How long we wait for others.</summary>
public sealed class FederationTimes
{
    /// <summary>For an answer, unless the request asks for another limit.</summary>
    public TimeSpan ClientTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>After the first failure; doubles with each further one.</summary>
    public TimeSpan DestinationMinRetryInterval { get; set; } = TimeSpan.FromSeconds(10);

    public double DestinationRetryMultiplier { get; set; } = 2;

    public TimeSpan DestinationMaxRetryInterval { get; set; } = TimeSpan.FromDays(1);
}

[OptionsValidator]
sealed partial class FederationOptionsValidator : IValidateOptions<FederationOptions>;
