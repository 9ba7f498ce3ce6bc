using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

/// <summary>
/// The connections to other servers, kept and used again. Two requests share one only if they go to the same target and want the same name on
/// its certificate: the Host header's, which is also what SNI says.
/// </summary>
public sealed class FederationConnections : IDisposable
{
    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10), AddressTimeout = TimeSpan.FromSeconds(5);

    readonly Names _names;
    readonly AddressRanges _ranges;
    readonly OutgoingProxy? _proxy;
    readonly HttpMessageInvoker _invoker;

    public FederationConnections(IOptions<FederationOptions> options, Names names)
    {
        _names = names;
        _ranges = new AddressRanges(options.Value.IpRangeBlacklist, options.Value.IpRangeWhitelist);
        _proxy = OutgoingProxy.Create(options.Value);
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None, // a small answer must not become a large one
            ConnectCallback = Connect,
            ConnectTimeout = ConnectTimeout,
            MaxConnectionsPerServer = 32,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
            PooledConnectionLifetime = TimeSpan.FromMinutes(15), // else a name that moved is never looked up again
            UseProxy = _proxy != null,
            Proxy = _proxy,
            ActivityHeadersPropagator = null,
            SslOptions = Certificates.Check(options.Value),
        });
    }

    /// <summary>Sends one request; the answer's body is not read yet.</summary>
    /// <exception cref="HttpRequestException">There was no answer; the inner exception may be <see cref="DeniedAddressException"/>.</exception>
    public Task<HttpResponseMessage> Send(HttpRequestMessage request, CancellationToken ct)
    {
        // a proxy would look up and connect for us, so what can be known is checked before
        if (_proxy != null && IPAddress.TryParse(request.RequestUri!.Host, out var literal) && !_ranges.Allows(literal))
            throw new HttpRequestException("Denied.", new DeniedAddressException(literal));
        return _invoker.SendAsync(request, ct);
    }

    public void Dispose() => _invoker.Dispose();

    async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var wanted = context.DnsEndPoint;
        var endpoints = IPAddress.TryParse(wanted.Host, out var literal)
            ? [new IPEndPoint(literal, wanted.Port)]
            : await _names.FindAddresses(wanted.Host, wanted.Port, ct);
        Exception? last = null;
        foreach (var endpoint in endpoints)
        {
            if (_proxy?.Is(wanted) != true && !_ranges.Allows(endpoint.Address))
            {
                last = new DeniedAddressException(endpoint.Address);
                continue;
            }
            try
            {
                return await Connect(endpoint, ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested && e is SocketException or OperationCanceledException)
            {
                last = e;
            }
        }
        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    static async Task<Stream> Connect(IPEndPoint endpoint, CancellationToken ct)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(AddressTimeout);
            await socket.ConnectAsync(endpoint, limit.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>The address that a name stands for is one that we do not connect to.</summary>
sealed class DeniedAddressException(IPAddress address) : Exception($"The address {address} is denied.");
