using System.ComponentModel.DataAnnotations;
using Matrix.Protocol;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

/// <summary>Who this server is among the others. Keys as in Synapse's configuration.</summary>
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
    }
}

/// <summary>A key that signs no more. <c>ExpiredTs</c>: since when, Unix milliseconds.</summary>
public sealed record OldSigningKey
{
    public string Key { get; set; } = "";

    public long ExpiredTs { get; set; }
}

[OptionsValidator]
sealed partial class FederationOptionsValidator : IValidateOptions<FederationOptions>;
