using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Matrix.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Matrix.Load;

/// <summary>A homeserver's name, and what it signs by.</summary>
sealed record KeyedServer(ServerName Name, SigningKey Key);

/// <summary>
/// Many servers beside the peer, members of whose rooms they have: addresses of this machine (127.1.x.y) that share a port, each with a certificate and a key of its own. They take
/// what they are sent; whatever else they are asked, the peer answers.
/// </summary>
sealed class PeerServers
{
    readonly Peer _peer;
    readonly Dictionary<IPAddress, X509Certificate2> _certificates;
    readonly Dictionary<IPAddress, KeyedServer> _servers = [];
    volatile Arrivals? _awaited;

    PeerServers(Peer peer, string folder, int count)
    {
        _peer = peer;
        _certificates = Enumerable.Range(0, count).Select(i => new IPAddress([127, 1, (byte)(i / 250), (byte)((i % 250) + 1)]))
            .ToDictionary(address => address, address => PeerCertificates.Issue(folder, address.ToString()));
    }

    public IReadOnlyList<KeyedServer> All { get; private set; } = [];

    public static async Task<PeerServers> Start(Peer peer, string folder, int count, CancellationToken ct)
    {
        var servers = new PeerServers(peer, folder, count);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(30); // who closes connections is the server under load
            // one socket for all of them; who comes to another address of the machine gets no certificate, and no further
            kestrel.Listen(IPAddress.Any, 0, listen => listen.UseHttps(https =>
            {
                https.HandshakeTimeout = TimeSpan.FromMinutes(2); // it may begin a thousand at once
                https.ServerCertificateSelector = (connection, _) => servers._certificates.GetValueOrDefault(((IPEndPoint)connection!.LocalEndPoint!).Address);
            }));
        });
        var app = builder.Build();
        app.Run(servers.Answer);
        await app.StartAsync(ct);
        var port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
        foreach (var address in servers._certificates.Keys)
        {
            // a port may be used again by the next run, and servers remember keys by server and id
            servers._servers[address] = new(ServerName.Parse(string.Create(CultureInfo.InvariantCulture, $"{address}:{port}")), SigningKey.Generate($"load_{Guid.NewGuid():N}"));
        }
        servers.All = [.. servers._servers.Values];
        return servers;
    }

    /// <summary>Waits until each of them has taken a transaction with this text in it.</summary>
    /// <param name="text">Which nothing else contains, as it is in JSON.</param>
    /// <param name="say">What makes the server under load send it.</param>
    public async Task Await(string text, Func<Task> say, TimeSpan patience, CancellationToken ct)
    {
        var awaited = _awaited = new(text, _servers.Count);
        await say();
        try
        {
            await awaited.All.WaitAsync(patience, ct);
        }
        catch (TimeoutException)
        {
            throw new LoadException($"Only {awaited.Count} of {_servers.Count} servers have the message.");
        }
    }

    async Task Answer(HttpContext context)
    {
        var address = context.Connection.LocalIpAddress!;
        if (context.Request.Path == "/_matrix/key/v2/server")
        {
            await Peer.GiveKeys(context, _servers[address]);
            return;
        }
        if (!context.Request.Path.StartsWithSegments("/_matrix/federation/v1/send", StringComparison.Ordinal))
        {
            await _peer.Answer(context);
            return;
        }
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync("{\"pdus\":{}}", context.RequestAborted);
        _awaited?.Look(address, body.GetBuffer().AsSpan(0, (int)body.Length));
    }

    /// <summary>Who has one message.</summary>
    sealed class Arrivals(string text, int count)
    {
        readonly byte[] _text = Encoding.UTF8.GetBytes(text);
        readonly HashSet<IPAddress> _have = [];
        readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task All => _all.Task;

        public int Count
        {
            get
            {
                lock (_have) return _have.Count;
            }
        }

        public void Look(IPAddress server, ReadOnlySpan<byte> transaction)
        {
            if (transaction.IndexOf(_text) < 0) return;
            lock (_have)
            {
                if (_have.Add(server) && _have.Count == count) _all.SetResult();
            }
        }
    }
}
