using System.IO.Enumeration;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Matrix.Federation;

/// <summary>What the certificates must be of servers that others name to us.</summary>
public static class Certificates
{
    /// <summary>For who connects where users or other servers say: the system's authorities vouch for it, or these instead (files in PEM).</summary>
    public static SslClientAuthenticationOptions Check(IReadOnlyList<string>? authorities = null)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = authorities is { Count: > 0 } ? X509ChainTrustMode.CustomRootTrust : X509ChainTrustMode.System,
            RevocationMode = X509RevocationMode.NoCheck,
            // else the platform would fetch what a certificate names as its issuer's: at any address, our own network's too, and with a thread that waits
            DisableCertificateDownloads = true,
        };
        foreach (var file in authorities ?? [])
            policy.CustomTrustStore.ImportFromPemFile(file);
        return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }

    internal static SslClientAuthenticationOptions Check(FederationOptions options)
    {
        var ssl = Check(options.FederationCustomCaList);
        ssl.RemoteCertificateValidationCallback = (sender, certificate, _, errors) =>
            !options.FederationVerifyCertificates || IsGood(((SslStream)sender).TargetHostName, certificate as X509Certificate2, errors, options);
        return ssl;
    }

    static bool IsGood(string host, X509Certificate2? certificate, SslPolicyErrors errors, FederationOptions options)
    {
        // an IPv6 address comes in the brackets of the Host header, which the platform's comparison does not know
        if (errors == SslPolicyErrors.RemoteCertificateNameMismatch && host.StartsWith('[') && certificate?.MatchesHostname(host.Trim('[', ']')) == true)
            return true;
        return errors == SslPolicyErrors.None
            || options.FederationCertificateVerificationWhitelist.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, host));
    }
}
