using System.Security.Cryptography.X509Certificates;
using Matrix.Ctl.Configuration;

namespace Matrix.Ctl.Tests;

public sealed class TlsCertificateTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("matrix-tls-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, InlineData("example.org"), InlineData("example.org:8448"), InlineData("localhost")]
    public void The_certificate_is_for_the_server_and_for_this_machine(string serverName)
    {
        var (file, keyFile) = TlsCertificate.FindOrCreate(folder, serverName);

        using var certificate = X509Certificate2.CreateFromPemFile(file, keyFile);
        Assert.True(certificate.HasPrivateKey);
        Assert.True(certificate.MatchesHostname(serverName.Split(':')[0]));
        Assert.True(certificate.MatchesHostname("localhost"));
        Assert.True(certificate.MatchesHostname("127.0.0.1"));
    }

    [Fact]
    public void A_certificate_is_made_once()
    {
        TlsCertificate.FindOrCreate(folder, "example.org");
        var first = File.ReadAllText(Path.Combine(folder, "tls.crt"));

        TlsCertificate.FindOrCreate(folder, "example.org");

        Assert.Equal(first, File.ReadAllText(Path.Combine(folder, "tls.crt")));
    }
}
