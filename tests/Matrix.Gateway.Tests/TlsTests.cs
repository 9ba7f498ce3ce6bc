using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Matrix.Hosting.Configuration;

namespace Matrix.Gateway.Tests;

public sealed class TlsTests
{
    [Fact]
    public async Task The_gateway_speaks_tls_with_the_configured_certificate()
    {
        using var folder = new TemporaryFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test.example", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(folder.File("cert.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(folder.File("key.pem"), key.ExportPkcs8PrivateKeyPem());

        await using var upstream = await Upstream.Start();
        await using var gateway = await TestGateway.Start(
        [
            ("gateway:clusters:client-api", upstream.Address),
            ("tls_listen", "https://127.0.0.1:0"),
            ("tls_certificate_path", folder.File("cert.pem")),
            ("tls_private_key_path", folder.File("key.pem")),
        ]);
        var seen = "";
        using var handler = new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, presented, _, _) => (seen = presented!.Thumbprint).Length > 0,
        };
        using var client = new HttpClient(handler);
        var https = gateway.Addresses.Single(address => address.StartsWith("https:", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(https + "/_matrix/client/versions")).StatusCode);
        Assert.Equal(certificate.Thumbprint, seen);
        Assert.Equal("https", upstream.Requests.Single().Headers["X-Forwarded-Proto"]);
    }

    [Fact]
    public async Task A_gateway_with_mistakes_in_its_configuration_names_them_all_and_does_not_start()
    {
        var mistakes = (await Assert.ThrowsAsync<ConfigurationException>(() => TestGateway.Start(
        [
            ("gateway:clusters:pusher", "http://127.0.0.1:1"),
            ("gateway:clusters:clients", "http://127.0.0.1:1"),
            ("gateway:health_interval", "0"),
            ("tls_listen", "https://127.0.0.1:0"),
            ("tls_certificate_path", "/nowhere/cert.pem"),
        ]))).Mistakes.Select(mistake => mistake.ToString()).ToList();
        Assert.Contains("gateway.clusters: client-api is missing", mistakes);
        Assert.Contains("gateway.clusters: 'clients' is not one of client-api, federation-reader, media-repo, federation-sender, pusher", mistakes);
        Assert.Contains(mistakes, mistake => mistake.StartsWith("gateway.health_interval: must be between", StringComparison.Ordinal));
        Assert.Contains("tls_certificate_path: there is no file /nowhere/cert.pem", mistakes);
        Assert.Contains("tls_private_key_path: is missing, and tls_listen needs it", mistakes);
    }

    sealed class TemporaryFolder : IDisposable
    {
        readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway");

        public string File(string name) => Path.Combine(_folder.FullName, name);

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
