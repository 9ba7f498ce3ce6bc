using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Matrix.Testing;

/// <summary>A private authority, made for one run, that signs the certificates of test servers.</summary>
public sealed class CertificateAuthority : IDisposable
{
    static readonly DateTimeOffset From = TimeProvider.System.GetUtcNow().AddDays(-1), To = From.AddDays(30);

    readonly X509Certificate2 _root;
    readonly string _folder = Directory.CreateTempSubdirectory("matrix-ca-").FullName;
    int _files;

    public CertificateAuthority(string name = "Tests")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _root = request.CreateSelfSigned(From, To);
        System.IO.File.WriteAllText(File, _root.ExportCertificatePem() + "\n");
        System.IO.File.WriteAllText(Path.Combine(_folder, "ca.key"), key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>The authority's certificate in PEM: for <c>federation_custom_ca_list</c>.</summary>
    public string File => Path.Combine(_folder, "ca.crt");

    /// <summary>Where it lies, as <c>ca.crt</c> and <c>ca.key</c>, with all that it issued.</summary>
    public string Folder => _folder;

    /// <summary>A certificate for these hosts and addresses; a URL among them is where it says that its issuer's certificate is to be had.</summary>
    public X509Certificate2 Issue(params string[] hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={hosts[0]}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (host.StartsWith("http:", StringComparison.Ordinal))
                request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [host]));
            else if (IPAddress.TryParse(host, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(_root, From, To.AddDays(-1), RandomNumberGenerator.GetBytes(12));
        using var whole = signed.CopyWithPrivateKey(key);
        // the platform serves TLS with a key that it has imported alone
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>The same as two PEM files.</summary>
    public (string Certificate, string Key) IssueFiles(params string[] hosts)
    {
        using var certificate = Issue(hosts);
        var path = Path.Combine(_folder, $"{Interlocked.Increment(ref _files)}-");
        System.IO.File.WriteAllText(path + "cert.pem", certificate.ExportCertificatePem());
        using var key = certificate.GetECDsaPrivateKey()!;
        System.IO.File.WriteAllText(path + "key.pem", ExportKey(key));
        return (path + "cert.pem", path + "key.pem");
    }

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    static string ExportKey(ECDsa key) => key.ExportPkcs8PrivateKeyPem();
}
