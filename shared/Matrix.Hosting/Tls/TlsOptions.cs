using System.ComponentModel.DataAnnotations;

namespace Matrix.Hosting.Tls;

/// <summary>Encryption by the process that faces the clients. Keys of the top level, named as Synapse names them.</summary>
public sealed class TlsOptions : IValidatableObject
{
    /// <summary>Where TLS is spoken: <c>https://0.0.0.0:8448</c>, one or several, or <c>fd:N</c>. Needs the certificate and its key.</summary>
    public IReadOnlyList<string> TlsListen { get; init; } = [];

    /// <summary>A PEM file: the server's certificate, then those between it and the root. Read again when it changes.</summary>
    public string? TlsCertificatePath { get; init; }

    /// <summary>A PEM file with the certificate's key, not encrypted.</summary>
    public string? TlsPrivateKeyPath { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var address in TlsListen)
            if (ParseAddress(address) is null && ListenOptions.Inherited(address) is null)
                yield return new ValidationResult($"'{address}' is not an address such as https://0.0.0.0:8448", [nameof(TlsListen)]);
        if (TlsListen.Count == 0) yield break;
        if (!File.Exists(TlsCertificatePath)) yield return new ValidationResult(NoFile(TlsCertificatePath), [nameof(TlsCertificatePath)]);
        if (!File.Exists(TlsPrivateKeyPath)) yield return new ValidationResult(NoFile(TlsPrivateKeyPath), [nameof(TlsPrivateKeyPath)]);
    }

    internal static Uri? ParseAddress(string address) =>
        Uri.TryCreate(address.Replace("://*", "://0.0.0.0", StringComparison.Ordinal), UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps
            ? uri
            : null;

    static string NoFile(string? path) => path is null ? "is missing, and tls_listen needs it" : $"there is no file {path}";
}
