using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Matrix.LocalStack;
using Matrix.Protocol;

namespace Matrix.Ctl.Configuration;

/// <summary>
/// A self-signed certificate in the data folder, for a server that has no other: <c>tls.crt</c> and <c>tls.key</c>, both PEM.
/// </summary>
static class TlsCertificate
{
    static readonly TimeSpan Lifetime = TimeSpan.FromDays(825);

    public static (string Certificate, string Key) FindOrCreate(string dataFolder, string serverName)
    {
        var (certificateFile, keyFile) = (Path.Combine(dataFolder, "tls.crt"), Path.Combine(dataFolder, "tls.key"));
        if (!File.Exists(certificateFile) || !File.Exists(keyFile)) Create(certificateFile, keyFile, Host(serverName));
        return (certificateFile, keyFile);
    }

    static void Create(string certificateFile, string keyFile, string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(host);
        if (host != "localhost") names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var serverAuthentication = new Oid("1.3.6.1.5.5.7.3.1");
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([serverAuthentication], critical: false));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now + Lifetime);
        // the key first: a certificate is only there with its key
        AtomicFile.Write(keyFile, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
        AtomicFile.Write(certificateFile, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"));
    }

    /// <summary>Certificates name IPv6 addresses without brackets.</summary>
    static string Host(string serverName) => ServerName.Parse(serverName).Host.Trim('[', ']');
}
