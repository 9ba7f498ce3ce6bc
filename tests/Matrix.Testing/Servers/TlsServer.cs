using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Matrix.Testing.Servers;

/// <summary>A web server on any port, with any certificate, that notes what it is called.</summary>
public sealed class TlsServer : IAsyncDisposable
{
    readonly ConcurrentQueue<string> _seen = new();
    IPAddress _address = IPAddress.Loopback;
    WebApplication _app = null!;

    public int Port { get; private set; }

    public IPEndPoint EndPoint => new(_address, Port);

    /// <summary>Of each request: the name of the handshake, the Host header, the path.</summary>
    public IReadOnlyList<string> Seen => [.. _seen];

    public static async Task<TlsServer> Start(X509Certificate2 certificate, RequestDelegate answer, IPAddress? address = null)
    {
        var server = new TlsServer { _address = address ?? IPAddress.Loopback };
        var chain = SslStreamCertificateContext.Create(certificate, null, offline: true); // what it names as its issuer's is for the other side to fetch, or not
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(server._address, 0, listen => listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = context =>
                {
                    context.Connection.Items["name"] = context.ClientHelloInfo.ServerName;
                    return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = chain });
                },
            }));
        });
        server._app = builder.Build();
        server._app.Run(context =>
        {
            var name = context.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionItemsFeature>()?.Items["name"];
            server._seen.Enqueue($"{name} {context.Request.Host} {context.Request.Path}");
            return answer(context);
        });
        await server._app.StartAsync();
        server.Port = new Uri(server._app.Urls.First()).Port;
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }
}
