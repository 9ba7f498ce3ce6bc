using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Matrix.Protocol;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

/// <summary>Signed requests to other servers. What they answer is bounded in size and time; how they fail decides when they are asked again.</summary>
public sealed class FederationClient(
    ServerSigningKey own, ServerDiscovery discovery, FederationConnections connections, DestinationBackoff backoff, IOptions<FederationOptions> options)
{
    const int MaxErrorBytes = 64 << 10;

    readonly HashSet<string>? _allowed = options.Value.FederationDomainWhitelist?.ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <param name="pathAndQuery">As on the wire: identifiers in it are escaped.</param>
    /// <exception cref="FederationException"/>
    public Task<T> Get<T>(ServerName destination, string pathAndQuery, CancellationToken ct, FederationRequest? options = null) =>
        Request<T>(destination, HttpMethod.Get, pathAndQuery, null, options, ct);

    /// <inheritdoc cref="Get{T}"/>
    /// <param name="json">Sent as it is.</param>
    public Task<T> Put<T>(ServerName destination, string pathAndQuery, ReadOnlyMemory<byte> json, CancellationToken ct, FederationRequest? options = null) =>
        Request<T>(destination, HttpMethod.Put, pathAndQuery, json, options, ct);

    /// <inheritdoc cref="Put{T}"/>
    public Task<T> Post<T>(ServerName destination, string pathAndQuery, ReadOnlyMemory<byte> json, CancellationToken ct, FederationRequest? options = null) =>
        Request<T>(destination, HttpMethod.Post, pathAndQuery, json, options, ct);

    /// <summary>For answers that are read as they come: redirects and errors are not among them, those are thrown.</summary>
    /// <inheritdoc cref="Put{T}"/>
    public async Task<FederationStream> Open(ServerName destination, HttpMethod method, string pathAndQuery, ReadOnlyMemory<byte>? json, CancellationToken ct,
        FederationRequest? options = null)
    {
        var (response, answer) = await Exchange(destination, method, pathAndQuery, json, options ?? FederationRequest.Default, ct);
        return new FederationStream(response, answer);
    }

    /// <summary>Does the configuration let us speak with this server?</summary>
    public bool Allows(ServerName server) => _allowed == null || _allowed.Contains(server.ToString());

    async Task<T> Request<T>(ServerName destination, HttpMethod method, string pathAndQuery, ReadOnlyMemory<byte>? json, FederationRequest? request, CancellationToken ct)
    {
        var (response, answer) = await Exchange(destination, method, pathAndQuery, json, request ?? FederationRequest.Default, ct);
        using (response)
        await using (answer)
        {
            var bytes = await answer.ReadAll();
            return typeof(T) == typeof(byte[]) ? (T)(object)bytes : Parse<T>(destination, bytes);
        }
    }

    static T Parse<T>(ServerName destination, byte[] bytes)
    {
        HalfSurrogates.Replace(bytes); // one bad event is no reason to do without the others
        try
        {
            return JsonSerializer.Deserialize<T>(bytes, FederationJson.Options) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new FederationException(destination, FederationFailure.Malformed, "the answer is not what it should be", e);
        }
    }

    async Task<(HttpResponseMessage Response, Answer Answer)> Exchange(
        ServerName destination, HttpMethod method, string pathAndQuery, ReadOnlyMemory<byte>? json, FederationRequest request, CancellationToken ct)
    {
        if (destination == own.ServerName)
            throw new FederationException(destination, FederationFailure.Forbidden, "that is this server");
        if (!Allows(destination))
            throw new FederationException(destination, FederationFailure.Forbidden, "federation_domain_whitelist does not name it");
        var failing = request.SkipBackoff ? null : await backoff.Find(destination, ct);
        if (failing != null && !request.IgnoreBackoff && backoff.MustWait(failing))
            throw new FederationException(destination, FederationFailure.BackingOff, $"it failed lately, and is not asked before {failing.RetryAt:u}");
        try
        {
            var exchange = await Exchange(destination, method, pathAndQuery, json, request, request.Timeout ?? options.Value.Times.ClientTimeout, ct);
            if (failing != null)
                await backoff.Succeeded(destination, ct);
            return exchange;
        }
        catch (FederationException e) when (!request.Unsigned)
        {
            if (e.IsOutage)
                await backoff.Failed(destination, ct);
            else if (failing != null && e.Failure == FederationFailure.Refused)
                await backoff.Succeeded(destination, ct);
            throw;
        }
    }

    async Task<(HttpResponseMessage Response, Answer Answer)> Exchange(ServerName destination, HttpMethod method, string pathAndQuery,
        ReadOnlyMemory<byte>? json, FederationRequest request, TimeSpan timeout, CancellationToken ct)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(timeout);
        try
        {
            var response = await Send(destination, method, pathAndQuery, json, request, limit.Token);
            if (response.StatusCode == HttpStatusCode.OK)
                return (response, new Answer(destination, await response.Content.ReadAsStreamAsync(ct), request.MaxBytes, limit, ct));
            using (response)
                throw await Refusal(destination, response, limit.Token);
        }
        catch (Exception e)
        {
            limit.Dispose();
            ct.ThrowIfCancellationRequested(); // whatever else failed meanwhile: it is nobody's fault
            if (Failure(destination, e) is { } failure)
                throw failure;
            throw;
        }
    }

    /// <summary>To the first target that takes the connection.</summary>
    async Task<HttpResponseMessage> Send(
        ServerName destination, HttpMethod method, string pathAndQuery, ReadOnlyMemory<byte>? json, FederationRequest request, CancellationToken ct)
    {
        var route = await discovery.Find(destination, ct);
        for (var target = 0; ; target++)
        {
            using var message = new HttpRequestMessage(method, route.Uri(target, pathAndQuery));
            message.Headers.Host = route.HostHeader;
            if (!request.Unsigned)
            {
                var signature = XMatrix.Sign(own.ServerName, own.Key, destination, method.Method, pathAndQuery, json);
                message.Headers.TryAddWithoutValidation("Authorization", signature.ToString());
            }
            if (json is { } body)
                message.Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            try
            {
                return await connections.Send(message, ct);
            }
            catch (HttpRequestException e) when (target + 1 < route.Targets.Count
                && e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError)
            {
                // nothing was sent: the next one
            }
        }
    }

    static async Task<FederationException> Refusal(ServerName destination, HttpResponseMessage response, CancellationToken ct)
    {
        byte[] body = [];
        string? errcode = null, error = null;
        var retryAfter = response.Headers.RetryAfter?.Delta;
        try
        {
            body = await LimitedStream.ReadAll(await response.Content.ReadAsStreamAsync(ct), MaxErrorBytes, ct);
            HalfSurrogates.Replace(body);
            using var document = JsonDocument.Parse(body);
            errcode = Member(document.RootElement, "errcode");
            error = Member(document.RootElement, "error");
            retryAfter ??= Milliseconds(document.RootElement, "retry_after_ms"); // of servers that do not know the header
        }
        catch (Exception e) when (e is JsonException or IOException or HttpRequestException)
        {
            // the status says enough
        }
        return new FederationException(destination, FederationFailure.Refused, $"{(int)response.StatusCode} {errcode} {error}")
        {
            Status = (int)response.StatusCode,
            Errcode = errcode,
            RetryAfter = retryAfter,
            Body = body,
        };
    }

    static string? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    static TimeSpan? Milliseconds(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? TimeSpan.FromMilliseconds(number) : null;

    static FederationException? Failure(ServerName destination, Exception e)
    {
        for (var inner = e; inner != null; inner = inner.InnerException)
            if (inner is DeniedAddressException)
                return new FederationException(destination, FederationFailure.Forbidden, inner.Message, e);
        return e switch
        {
            OperationCanceledException => new FederationException(destination, FederationFailure.TimedOut, "no answer in time", e),
            HttpRequestException or IOException or System.Net.Sockets.SocketException or UriFormatException =>
                new FederationException(destination, FederationFailure.Unreachable, e.InnerException?.Message ?? e.Message, e),
            _ => null,
        };
    }
}
