using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Matrix.Load;

/// <summary>What the generator proves by that it is another homeserver.</summary>
static class PeerCertificates
{
    /// <param name="folder">The authority's.</param>
    /// <param name="host">A name, or an address.</param>
    public static X509Certificate2 Issue(string folder, string host)
    {
        using var authority = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "ca.crt"), Path.Combine(folder, "ca.key"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(host);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256) { CertificateExtensions = { names.Build() } };
        X509SignatureGenerator signer = authority.GetRSAPrivateKey() is { } rsa
            ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa(authority.GetECDsaPrivateKey()!);
        using var signed = request.Create(authority.SubjectName, signer, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(12));
        return signed.CopyWithPrivateKey(key);
    }
}
