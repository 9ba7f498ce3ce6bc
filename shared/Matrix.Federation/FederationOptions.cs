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

    /// <summary>How long others may rely on a copy of this server's keys.</summary>
    public TimeSpan KeyRefreshInterval { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Keys that signed in the past, by key id, so that what they signed stays valid.</summary>
    public Dictionary<string, OldSigningKey> OldSigningKeys { get; } = [];

    /// <summary>Answer <c>/.well-known/matrix/server</c>: tells other servers that this one is to be reached on port 443 of the server name.</summary>
    public bool ServeServerWellknown { get; set; }

    /// <summary>PEM files of the authorities that may sign other servers' certificates, instead of the system's.</summary>
    public IReadOnlyList<string> FederationCustomCaList { get; set; } = [];

    /// <summary>Check the certificates of other servers. False accepts any: for tests alone.</summary>
    public bool FederationVerifyCertificates { get; set; } = true;

    /// <summary>Hosts whose certificates are not checked; <c>*</c> stands for any letters.</summary>
    public IReadOnlyList<string> FederationCertificateVerificationWhitelist { get; set; } = [];

    /// <summary>The only servers to speak with. Left out: all of them; an empty list means nobody.</summary>
    public IReadOnlyList<string>? FederationDomainWhitelist { get; set; }

    /// <summary>Addresses (CIDR) that are never connected to because another server or a user names them. The default is all that is not public.</summary>
    public IReadOnlyList<string> IpRangeBlacklist { get; set; } = AddressRanges.NotPublic;

    /// <summary>Exceptions from <c>ip_range_blacklist</c>.</summary>
    public IReadOnlyList<string> IpRangeWhitelist { get; set; } = [];

    /// <summary>Servers that are asked for others' keys before those themselves, and whose word on them is taken.</summary>
    public IReadOnlyList<TrustedKeyServer> TrustedKeyServers { get; set; } = [];

    /// <summary>
    /// A proxy for requests to other servers: <c>http://user:password@host:port</c>. Left out, <c>http_proxy</c> here or <c>https_proxy</c> in the
    /// environment.
    /// </summary>
    public string? HttpsProxy { get; set; }

    /// <summary>
    /// Hosts that are asked without the proxy, with all hosts below them; addresses and CIDR ranges too. Left out, <c>no_proxy</c> in the environment.
    /// </summary>
    public IReadOnlyList<string> NoProxyHosts { get; set; } = [];

    /// <summary>How long other servers are waited for.</summary>
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
    /// <summary>The public key, in base64.</summary>
    public string Key { get; set; } = "";

    /// <summary>Since when it signs no more, in Unix milliseconds.</summary>
    public long ExpiredTs { get; set; }
}

/// <summary>A server whose word on others' keys is taken.</summary>
/// <param name="ServerName">Its name.</param>
/// <param name="VerifyKeys">Its public keys in base64, by key id. Left out: those that it publishes.</param>
public sealed record TrustedKeyServer(string ServerName, IReadOnlyDictionary<string, string> VerifyKeys)
{
    /// <summary>Take what it says without looking at its own signature, where <c>verify_keys</c> is left out.</summary>
    public bool AcceptKeysInsecurely { get; init; }

    internal bool IsValid => Protocol.ServerName.TryParse(ServerName, out _)
        && VerifyKeys.All(key => KeyId.TryParse(key.Key, out _) && VerifyKey.TryParse(key.Value) != null);
}

/// <summary>How long we wait for others.</summary>
public sealed class FederationTimes
{
    /// <summary>How long an answer may take, unless a kind of request has a limit of its own.</summary>
    public TimeSpan ClientTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a server is left alone after a first failure.</summary>
    public TimeSpan DestinationMinRetryInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>By how much that grows with each further failure.</summary>
    public double DestinationRetryMultiplier { get; set; } = 2;

    /// <summary>The longest that a server is left alone.</summary>
    public TimeSpan DestinationMaxRetryInterval { get; set; } = TimeSpan.FromDays(1);
}

[OptionsValidator]
sealed partial class FederationOptionsValidator : IValidateOptions<FederationOptions>;
