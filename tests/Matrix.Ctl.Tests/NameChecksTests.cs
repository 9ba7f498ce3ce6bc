using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DnsClient;
using Matrix.Ctl.Doctor;

namespace Matrix.Ctl.Tests;

/// <summary>What <c>matrixctl doctor</c> says of a name that others do not find: TLS and DNS answer on the loopback, .well-known as the test says.</summary>
public sealed class NameChecksTests : IDisposable
{
    readonly TcpListener _tls = new(IPAddress.Loopback, 0);
    readonly UdpClient _dns = new(new IPEndPoint(IPAddress.Loopback, 0));

    int Port => ((IPEndPoint)_tls.LocalEndpoint).Port;

    public void Dispose()
    {
        _tls.Dispose();
        _dns.Dispose();
    }

    [Fact]
    public async Task A_certificate_that_has_ended_is_told_with_its_day()
    {
        ServeTls("localhost", ended: true);
        var findings = await Ask($"localhost:{Port}");
        var finding = Assert.Single(findings, finding => finding.Check == "TLS");
        Assert.Equal(Verdict.Bad, finding.Verdict);
        Assert.Contains($"localhost:{Port} ended on 2", finding.Found, StringComparison.Ordinal);
        Assert.Contains("Renew it", finding.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain(findings, finding => finding.Check == "federation"); // one reason is enough
    }

    [Theory]
    [InlineData("localhost", "it is for localhost")]
    [InlineData("fed.test", "it is signed by itself")]
    public async Task Behind_an_SRV_record_the_certificate_has_to_be_for_the_name_not_for_the_record_s_target(string certificate, string found)
    {
        ServeTls(certificate);
        _ = ServeSrv("localhost");
        var findings = await Ask("fed.test");
        Assert.Contains(findings, finding => finding is { Check: "SRV", Verdict: Verdict.Well });
        var finding = Assert.Single(findings, finding => finding.Check == "TLS");
        Assert.Contains(found, finding.Found, StringComparison.Ordinal);
        Assert.StartsWith("It needs one for fed.test", finding.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_SRV_record_that_leads_nowhere_is_told()
    {
        var nowhere = ClosedPort();
        _ = ServeSrv("localhost", nowhere);
        var finding = Assert.Single(await Ask("fed.test"), finding => finding.Check == "TLS");
        Assert.Contains($"localhost:{nowhere} cannot be reached", finding.Found, StringComparison.Ordinal);
        Assert.Contains("firewall", finding.Advice, StringComparison.Ordinal);
    }

    [Theory, InlineData("https://matrix.example.org"), InlineData("matrix.example.org/"), InlineData("")]
    public async Task A_delegation_to_what_is_no_server_name_is_told(string target)
    {
        var findings = await Ask("example.org", $$"""{"m.server":"{{target}}"}""");
        var finding = Assert.Single(findings, finding => finding.Check == "delegation");
        Assert.Equal(Verdict.Bad, finding.Verdict);
        Assert.Contains("without https://", finding.Advice, StringComparison.Ordinal);
    }

    [Theory, InlineData("localhost"), InlineData("chat.localhost"), InlineData("127.0.0.1"), InlineData("[::1]")]
    public async Task That_others_cannot_reach_a_server_tried_out_on_this_machine_is_no_failure(string host)
    {
        var finding = Assert.Single(await Ask($"{host}:{ClosedPort()}", speaksTls: false));
        Assert.Equal(("federation", Verdict.Note), (finding.Check, finding.Verdict));
        Assert.StartsWith("Other servers cannot reach", finding.Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task That_nothing_answers_where_TLS_is_configured_is_a_failure_on_this_machine_too() =>
        Assert.Equal(Verdict.Bad, Assert.Single(await Ask($"localhost:{ClosedPort()}"), finding => finding.Check == "TLS").Verdict);

    [Fact]
    public async Task A_proxy_that_speaks_TLS_for_a_server_on_this_machine_is_looked_at()
    {
        ServeTls("localhost", ended: true);
        Assert.Contains("ended on", Assert.Single(await Ask($"localhost:{Port}", speaksTls: false), finding => finding.Check == "TLS").Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_others_can_know_has_to_answer_with_TLS_by_whomever()
    {
        _ = ServeSrv("localhost", ClosedPort());
        Assert.Equal(Verdict.Bad, Assert.Single(await Ask("fed.test", speaksTls: false), finding => finding.Check == "TLS").Verdict);
    }

    int ClosedPort()
    {
        _tls.Start();
        var port = Port;
        _tls.Stop();
        return port;
    }

    async Task<IReadOnlyList<Finding>> Ask(string name, string? wellKnown = null, bool speaksTls = true)
    {
        using var http = new HttpClient(new WellKnown(wellKnown));
        var dns = new LookupClient(new LookupClientOptions((IPEndPoint)_dns.Client.LocalEndPoint!) { Timeout = TimeSpan.FromSeconds(30), Retries = 0, UseCache = false });
        return await new NameChecks(http, dns, name, TimeProvider.System, speaksTls).Run(TestContext.Current.CancellationToken);
    }

    void ServeTls(string name, bool ended = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var until = TimeProvider.System.GetUtcNow().AddDays(ended ? -1 : 30);
        var certificate = request.CreateSelfSigned(until.AddDays(-60), until);
        _tls.Start();
        _ = Serve();

        async Task Serve()
        {
            while (true)
            {
                using var client = await _tls.AcceptTcpClientAsync();
                await using var stream = new SslStream(client.GetStream());
                try
                {
                    await stream.AuthenticateAsServerAsync(certificate);
                }
                catch (Exception e) when (e is IOException or AuthenticationException)
                {
                    // whoever asked has seen enough
                }
            }
        }
    }

    /// <summary>Answers one question: the name is at the target.</summary>
    async Task ServeSrv(string target, int? port = null)
    {
        var asked = await _dns.ReceiveAsync(TestContext.Current.CancellationToken);
        var answer = new List<byte>(asked.Buffer[..12]) { [2] = 0x81, [3] = 0x80, [7] = 1, [9] = 0, [11] = 0 };
        answer.AddRange(Question(asked.Buffer));
        answer.AddRange([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, (byte)(6 + 1 + target.Length + 1), 0, 0, 0, 0]);
        var number = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(number, (ushort)(port ?? Port));
        answer.AddRange(number);
        answer.Add((byte)target.Length);
        answer.AddRange(Encoding.ASCII.GetBytes(target));
        answer.Add(0);
        await _dns.SendAsync(answer.ToArray(), asked.RemoteEndPoint, TestContext.Current.CancellationToken);

        static byte[] Question(byte[] message)
        {
            var end = 12;
            while (message[end] != 0) end += message[end] + 1;
            return message[12..(end + 5)];
        }
    }

    sealed class WellKnown(string? server) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(server is not null && request.RequestUri!.AbsolutePath == "/.well-known/matrix/server"
                ? new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(server) }
                : new HttpResponseMessage(HttpStatusCode.NotFound));
    }
}
