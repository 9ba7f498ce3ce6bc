using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Storage.Caching;

namespace Matrix.Pusher.Http;

/// <summary>How a gateway answered.</summary>
/// <param name="Status">Null: it did not.</param>
/// <param name="Rejected">Push keys that are no good (any more).</param>
readonly record struct GatewayAnswer(int? Status, IReadOnlyList<string> Rejected, TimeSpan? RetryAfter = null, string? Failure = null)
{
    public bool IsGood => Status is >= 200 and < 300;
}

/// <summary>
/// Speaks to push gateways, whose addresses users give: so only to public addresses (<see cref="AddressRanges"/>, asked about the address that is
/// connected to), without following redirects, within limits of time and size, and with no more than a few requests to one of them at a time, so that
/// one that hangs holds up no other.
/// </summary>
sealed class PushGateways : IDisposable
{
    const int LongestAnswer = 64 << 10;

    readonly HttpClient client;
    readonly AddressRanges ranges;
    readonly PushOptions options;
    readonly BoundedCache<string, SemaphoreSlim> turns;

    public PushGateways(PushOptions options, PushAddressOptions addresses, Caches caches)
    {
        (this.options, ranges) = (options, addresses.Ranges);
        turns = caches.Create<string, SemaphoreSlim>("push_gateways", 1 << 20, (gateway, _) => 200 + Caches.WeightOf(gateway));
        client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = options.GatewayTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // a gateway may move
            MaxConnectionsPerServer = options.MaxRequestsPerGateway,
            MaxResponseHeadersLength = 16,
            ConnectCallback = Connect,
            SslOptions = Certificates.Check(),
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    public void Dispose() => client.Dispose();

    /// <summary>Sends a notification. Throws only when cancelled.</summary>
    public async Task<GatewayAnswer> Send(Uri gateway, byte[] notification, CancellationToken ct)
    {
        var turn = TurnsOf(gateway);
        await turn.WaitAsync(ct);
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(options.GatewayTimeout);
            return await Post(gateway, notification, patience.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new GatewayAnswer(null, [], Failure: "it did not answer in time");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            return new GatewayAnswer(null, [], Failure: e.InnerException?.Message ?? e.Message);
        }
        finally
        {
            turn.Release();
        }
    }

    SemaphoreSlim TurnsOf(Uri gateway)
    {
        var key = gateway.GetLeftPart(UriPartial.Authority);
        lock (turns)
        {
            if (!turns.TryGet(key, out var turn))
                turns.Set(key, turn = new SemaphoreSlim(options.MaxRequestsPerGateway));
            return turn;
        }
    }

    async Task<GatewayAnswer> Post(Uri gateway, byte[] notification, CancellationToken ct)
    {
        using var content = new ByteArrayContent(notification);
        content.Headers.ContentType = new("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, gateway) { Content = content };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        var status = (int)response.StatusCode;
        var body = await ReadBody(response, ct);
        return new GatewayAnswer(status, status is >= 200 and < 300 ? Rejected(body) : [], response.Headers.RetryAfter?.Delta);
    }

    static async Task<ReadOnlyMemory<byte>> ReadBody(HttpResponseMessage response, CancellationToken ct)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        var body = new byte[Math.Min(response.Content.Headers.ContentLength ?? 4096, LongestAnswer)];
        var length = 0;
        while (true)
        {
            if (length == body.Length)
            {
                if (length == LongestAnswer)
                    return default; // nobody has so many keys to reject
                Array.Resize(ref body, Math.Min(Math.Max(2 * length, 256), LongestAnswer));
            }
            var read = await stream.ReadAsync(body.AsMemory(length), ct);
            if (read == 0)
                return body.AsMemory(0, length);
            length += read;
        }
    }

    static IReadOnlyList<string> Rejected(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("rejected", out var rejected)
                && rejected.ValueKind == JsonValueKind.Array
                ? [.. rejected.EnumerateArray().Where(key => key.ValueKind == JsonValueKind.String).Select(key => key.GetString()!)] : [];
        }
        catch (JsonException)
        {
            return []; // it took the notification, whatever it says
        }
    }

    async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, ct);
        var allowed = addresses.Where(ranges.Allows).ToArray();
        if (allowed.Length == 0)
            throw new IOException("it has no address that may be connected to (ip_range_blacklist)");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
