using System.IO.Enumeration;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Matrix.Federation;

/// <summary>What other servers' certificates must be.</summary>
static class Certificates
{
    public static SslClientAuthenticationOptions Check(FederationOptions options)
    {
        var ssl = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (sender, certificate, _, errors) =>
                !options.FederationVerifyCertificates || IsGood(((SslStream)sender).TargetHostName, certificate as X509Certificate2, errors, options),
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = options.FederationCustomCaList.Count > 0 ? X509ChainTrustMode.CustomRootTrust : X509ChainTrustMode.System,
                RevocationMode = X509RevocationMode.NoCheck,
                // else the platform would fetch what a certificate names as its issuer's: at any address, our own network's too, and with a thread that waits
                DisableCertificateDownloads = true,
            },
        };
        foreach (var file in options.FederationCustomCaList)
            ssl.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(file);
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
