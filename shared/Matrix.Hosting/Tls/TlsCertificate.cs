using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Matrix.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace Matrix.Hosting.Tls;

/// <summary>The certificate with its chain, read again within a minute after its file changed: a renewal needs no restart.</summary>
sealed partial class TlsCertificate(OptionsSection<TlsOptions> section, TimeProvider time, ILogger<TlsCertificate> log)
{
    readonly Lock _gate = new();
    SslStreamCertificateContext? _current;
    DateTime _written;
    DateTimeOffset _nextLook;

    public SslStreamCertificateContext Current()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_current is not null && now < _nextLook) return _current;
            _nextLook = now + TimeSpan.FromMinutes(1);
            var written = File.GetLastWriteTimeUtc(section.Value.TlsCertificatePath!);
            if (_current is not null && written == _written) return _current;
            try
            {
                _current = Read();
                _written = written;
            }
            catch (Exception e) when (_current is not null && e is IOException or CryptographicException)
            {
                Unreadable(e); // in the middle of a renewal: the old one serves until the next look
            }

            return _current!;
        }
    }

    SslStreamCertificateContext Read()
    {
        var leaf = X509Certificate2.CreateFromPemFile(section.Value.TlsCertificatePath!, section.Value.TlsPrivateKeyPath);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(section.Value.TlsCertificatePath!);
        return SslStreamCertificateContext.Create(leaf, chain, offline: true);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The certificate cannot be read; the one read before stays in use")]
    partial void Unreadable(Exception exception);
}
