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
        using var certificate = await folder.Certificate();
        await using var upstream = await Upstream.Start();
        await using var gateway = await TestGateway.Start([("gateway:clusters:client-api", upstream.Address), .. folder.Settings]);
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

    // where the kernel cannot send it by itself
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_body_that_is_kept_is_sent_over_tls(string version)
    {
        using var folder = new TemporaryFolder();
        using var certificate = await folder.Certificate();
        var content = RandomNumberGenerator.GetBytes(300_001);
        await using var upstream = await Upstream.Start(async context =>
        {
            context.Response.Headers.ETag = "\"tag\"";
            if (context.Request.Headers.IfNoneMatch == "\"tag\"") context.Response.StatusCode = 304;
            else
            {
                context.Response.ContentLength = content.Length;
                await context.Response.Body.WriteAsync(content);
            }
        });
        await using var gateway = await TestGateway.Start(
            [("gateway:clusters:client-api", upstream.Address), ("gateway:clusters:media-repo", upstream.Address), .. folder.Settings]);
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, presented, _, _) => presented!.Thumbprint == certificate.Thumbprint };
        using var client = new HttpClient(handler) { DefaultRequestVersion = new Version(version), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var https = gateway.Addresses.Single(address => address.StartsWith("https:", StringComparison.Ordinal));
        for (var i = 0; i < 4; i++)
            Assert.Equal(content, await client.GetByteArrayAsync(https + "/_matrix/client/v1/media/download/test.example/a"));
        Assert.Equal(2, upstream.Requests.Count(request => request.Headers.ContainsKey("If-None-Match")));
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

        public IEnumerable<(string, string)> Settings =>
            [("tls_listen", "https://127.0.0.1:0"), ("tls_certificate_path", File("cert.pem")), ("tls_private_key_path", File("key.pem"))];

        public async Task<X509Certificate2> Certificate()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=test.example", key, HashAlgorithmName.SHA256);
            var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            await System.IO.File.WriteAllTextAsync(File("cert.pem"), certificate.ExportCertificatePem());
            await System.IO.File.WriteAllTextAsync(File("key.pem"), key.ExportPkcs8PrivateKeyPem());
            return certificate;
        }

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
