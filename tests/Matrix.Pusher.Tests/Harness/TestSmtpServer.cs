using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MimeKit;

namespace Matrix.Pusher.Tests;

/// <summary>An SMTP server on loopback: TLS from the first byte or by STARTTLS, a login (RFC 4954, PLAIN), and mails that a test can wait for.</summary>
public sealed class TestSmtpServer : IAsyncDisposable
{
    public const string User = "postmaster", Password = "a secret";

    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stopping = new();
    readonly bool tlsFirst;
    readonly X509Certificate2 certificate;
    readonly List<MimeMessage> mails = [];
    readonly Task accepting;
    TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TestSmtpServer(bool tlsFirst = false)
    {
        this.tlsFirst = tlsFirst;
        certificate = MakeCertificate();
        CaFile = Path.GetTempFileName();
        File.WriteAllText(CaFile, certificate.ExportCertificatePem());
        listener.Start();
        accepting = Accept();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>What a client has to trust.</summary>
    public string CaFile { get; }

    /// <summary>Mails to refuse before one is taken.</summary>
    public int Refusals { get; set; }

    /// <summary>What was taken, in order, of a connection with TLS and a login only.</summary>
    public IReadOnlyList<MimeMessage> To(string address)
    {
        lock (mails)
            return [.. mails.Where(mail => mail.To.Mailboxes.Any(to => to.Address == address))];
    }

    /// <summary>Waits, for at most a minute, for so many mails to an address.</summary>
    public async Task<IReadOnlyList<MimeMessage>> Wait(string address, int count)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            Task change;
            lock (mails)
                change = changed.Task;
            if (To(address) is { } found && found.Count >= count)
                return found;
            try
            {
                await change.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Only {To(address).Count} of {count} mails to {address} came.");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        certificate.Dispose();
        stopping.Dispose();
        File.Delete(CaFile);
    }

    async Task Accept()
    {
        try
        {
            while (true)
                _ = Serve(await listener.AcceptTcpClientAsync(stopping.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the end
        }
    }

    async Task Serve(TcpClient client)
    {
        using var _ = client;
        try
        {
            var session = new Session(this, client.GetStream());
            if (tlsFirst)
                await session.StartTls(certificate);
            await session.Run(certificate, stopping.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            // the client has gone
        }
    }

    bool Take(string data)
    {
        lock (mails)
        {
            if (Refusals > 0)
            {
                Refusals--;
                return false;
            }
            using var stream = new MemoryStream(Encoding.UTF8.GetBytes(data));
            mails.Add(MimeMessage.Load(stream));
            changed.TrySetResult();
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    sealed class Session(TestSmtpServer server, Stream plain)
    {
        Stream stream = plain;
        bool isSecret, isLoggedIn;

        public async Task StartTls(X509Certificate2 certificate)
        {
            var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(certificate);
            (stream, isSecret) = (tls, true);
        }

        public async Task Run(X509Certificate2 certificate, CancellationToken ct)
        {
            await Say("220 localhost ESMTP", ct);
            while (await Line(ct) is { } line)
            {
                switch (line.Split(' ', ':')[0].ToUpperInvariant())
                {
                    case "EHLO":
                        await Say(isSecret ? "250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN" : "250-localhost\r\n250 STARTTLS", ct);
                        break;
                    case "STARTTLS":
                        await Say("220 go ahead", ct);
                        await StartTls(certificate);
                        break;
                    case "AUTH":
                        isLoggedIn = isSecret && Encoding.UTF8.GetString(Convert.FromBase64String(line.Split(' ')[2])) == $"\0{User}\0{Password}";
                        await Say(isLoggedIn ? "235 welcome" : "535 no", ct);
                        break;
                    case "DATA":
                        await Say("354 go on", ct);
                        await Say(server.Take(await Data(ct)) ? "250 taken" : "451 later", ct);
                        break;
                    case "QUIT":
                        await Say("221 bye", ct);
                        return;
                    default: // MAIL, RCPT, RSET
                        await Say(isLoggedIn ? "250 fine" : "530 log in first", ct);
                        break;
                }
            }
        }

        async Task<string> Data(CancellationToken ct)
        {
            var data = new StringBuilder();
            while (await Line(ct) is { } line && line != ".")
                data.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
            return data.ToString();
        }

        // byte by byte: what follows STARTTLS must not be read ahead
        async Task<string?> Line(CancellationToken ct)
        {
            var (line, one) = (new List<byte>(), new byte[1]);
            while (await stream.ReadAsync(one, ct) == 1)
            {
                if (one[0] == '\n')
                    return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
                line.Add(one[0]);
            }
            return null;
        }

        Task Say(string text, CancellationToken ct) => stream.WriteAsync(Encoding.ASCII.GetBytes(text + "\r\n"), ct).AsTask();
    }
}
