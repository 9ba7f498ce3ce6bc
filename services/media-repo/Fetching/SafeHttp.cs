using System.Net;
using System.Net.Sockets;
using Matrix.Federation;

namespace Matrix.MediaRepo.Fetching;

/// <summary>Why an address that somebody else named was not fetched.</summary>
public sealed class FetchException(string reason, Exception? inner = null) : Exception(reason, inner);

/// <summary>An answer whose body is still to be read.</summary>
/// <param name="Address">The last one, after all redirects.</param>
public sealed record Fetched(HttpResponseMessage Response, Stream Body, Uri Address) : IAsyncDisposable
{
    public string? ContentType => Response.Content.Headers.ContentType?.ToString();

    /// <exception cref="FetchException">There is more than the limit, or it breaks off.</exception>
    public async Task<byte[]> ReadAll(long limit, CancellationToken ct)
    {
        using var all = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            for (int read; (read = await Body.ReadAsync(buffer, ct)) > 0;)
            {
                if (all.Length + read > limit)
                    throw new FetchException($"There is more than {limit} bytes.");
                all.Write(buffer, 0, read);
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException or InvalidDataException)
        {
            throw new FetchException("The answer broke off.", e);
        }
        return all.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        await Body.DisposeAsync();
        Response.Dispose();
    }
}

/// <summary>
/// Fetches what somebody else named, over http and https. Each connection is made to an address that the ranges allow: a name is looked up once for
/// it, and the very address that was checked is connected to, for every redirect anew. No proxy, no cookies, no credentials.
/// </summary>
public sealed class SafeHttp : IDisposable
{
    const int MostRedirects = 5;
    static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(10);

    readonly AddressRanges _ranges;
    readonly Names _names;
    readonly HttpMessageInvoker _invoker;

    /// <param name="connectTimeout">For one connection, TLS included; null: 10 seconds.</param>
    public SafeHttp(AddressRanges ranges, Names names, TimeSpan? connectTimeout = null)
    {
        (_ranges, _names) = (ranges, names);
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            // what it becomes is bounded where it is read
            AutomaticDecompression = DecompressionMethods.All,
            ConnectCallback = Connect,
            ConnectTimeout = connectTimeout ?? s_connectTimeout,
            MaxResponseHeadersLength = 64,
            MaxConnectionsPerServer = 8,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            ActivityHeadersPropagator = null,
            SslOptions = Certificates.Check(),
        });
    }

    /// <param name="prepare">Adds what else the request has.</param>
    /// <param name="allows">Is asked about each address, redirects too.</param>
    /// <exception cref="FetchException">No good answer, or an address that must not be fetched.</exception>
    public async Task<Fetched> Get(Uri address, Action<HttpRequestMessage>? prepare, Func<Uri, bool>? allows, CancellationToken ct)
    {
        for (var hop = 0; hop <= MostRedirects; hop++)
        {
            if (address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0 || allows?.Invoke(address) == false)
                throw new FetchException("The address may not be fetched.");
            var response = await Send(address, prepare, ct);
            if (response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect && response.Headers.Location is { } next)
            {
                response.Dispose();
                address = new Uri(address, next);
                continue;
            }
            if (response.StatusCode == HttpStatusCode.OK)
                return new Fetched(response, await response.Content.ReadAsStreamAsync(ct), address);
            var status = (int)response.StatusCode;
            response.Dispose();
            throw new FetchException($"The answer was {status}.");
        }
        throw new FetchException("There are too many redirects.");
    }

    public void Dispose() => _invoker.Dispose();

    async Task<HttpResponseMessage> Send(Uri address, Action<HttpRequestMessage>? prepare, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        prepare?.Invoke(request);
        try
        {
            return await _invoker.SendAsync(request, ct);
        }
        catch (HttpRequestException e)
        {
            throw new FetchException("There was no answer.", e);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            // how the handler tells that connecting took too long
            throw new FetchException("No connection was made in time.", e);
        }
    }

    async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var wanted = context.DnsEndPoint;
        var endpoints = IPAddress.TryParse(wanted.Host, out var literal)
            ? [new IPEndPoint(literal, wanted.Port)]
            : await _names.FindAddresses(wanted.Host, wanted.Port, ct);
        Exception last = new SocketException((int)SocketError.HostNotFound);
        foreach (var endpoint in endpoints)
        {
            if (!_ranges.Allows(endpoint.Address))
            {
                last = new IOException("The address is denied.");
                continue;
            }
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(endpoint, ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw last;
    }
}
