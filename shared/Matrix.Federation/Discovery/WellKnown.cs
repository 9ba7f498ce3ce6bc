using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage.Caching;

namespace Matrix.Federation;

/// <summary><c>/.well-known/matrix/server</c> of other servers, kept as long as they say, within limits.</summary>
public sealed class WellKnown(FederationConnections connections, Caches caches, TimeProvider time)
{
    const int MaxBytes = 50 << 10, MaxRedirects = 5;
    static readonly TimeSpan Default = TimeSpan.FromDays(1), Longest = TimeSpan.FromDays(2), Shortest = TimeSpan.FromMinutes(5);
    static readonly TimeSpan FirstFailure = TimeSpan.FromMinutes(1), LongestFailure = TimeSpan.FromHours(1), Timeout = TimeSpan.FromSeconds(10);

    readonly BoundedCache<ServerName, Entry> _known = caches.Create<ServerName, Entry>("well_known", 4 << 20,
        (name, entry) => 64 + Caches.WeightOf(name.ToString()) + Caches.WeightOf(entry.Delegated?.ToString()));

    /// <summary>Whom the server delegates to; null if it does not say so. A document that was good stays so while a new one cannot be had.</summary>
    public async ValueTask<ServerName?> Find(ServerName server, CancellationToken ct)
    {
        var known = _known.TryGet(server, out var entry);
        if (known && entry.Until > time.GetUtcNow())
            return entry.Delegated;
        var fresh = await Fetch(server, known ? entry : default, ct);
        _known.Set(server, fresh);
        return fresh.Delegated;
    }

    async Task<Entry> Fetch(ServerName server, Entry before, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Timeout);
        var now = time.GetUtcNow();
        try
        {
            using var response = await Follow(new Uri($"https://{server.Host}/.well-known/matrix/server"), limit.Token);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                var bytes = await LimitedStream.ReadAll(await response.Content.ReadAsStreamAsync(limit.Token), MaxBytes, limit.Token);
                if (Read(bytes) is { } delegated)
                    return new Entry(delegated, now + Lifetime(response.Headers.CacheControl, response.Content.Headers, now), 0, now);
            }
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException or UriFormatException)
        {
            // no document is an answer too
        }
        var failures = Math.Min(before.Failures + 1, 10);
        var pause = TimeSpan.FromTicks(Math.Min(LongestFailure.Ticks, FirstFailure.Ticks << (failures - 1)));
        var stillGood = before.Delegated != null && before.FetchedAt + Longest > now;
        return new Entry(stillGood ? before.Delegated : null, now + pause, failures, before.FetchedAt);
    }

    async Task<HttpResponseMessage> Follow(Uri uri, CancellationToken ct)
    {
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            var response = await connections.Send(request, ct);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location || redirects == MaxRedirects)
                return response;
            response.Dispose();
            uri = new Uri(uri, location);
            if (uri.Scheme != Uri.UriSchemeHttps)
                throw new HttpRequestException("A redirect that leaves HTTPS.");
        }
    }

    static ServerName? Read(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("m.server", out var server)
                && server.ValueKind == JsonValueKind.String && ServerName.TryParse(server.GetString(), out var name) ? name : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static TimeSpan Lifetime(CacheControlHeaderValue? control, HttpContentHeaders headers, DateTimeOffset now)
    {
        var lifetime = control is { NoCache: true } or { NoStore: true } ? TimeSpan.Zero
            : control?.MaxAge ?? (headers.Expires is { } expires ? expires - now : Default);
        return TimeSpan.FromTicks(Math.Clamp(lifetime.Ticks, Shortest.Ticks, Longest.Ticks));
    }

    readonly record struct Entry(ServerName? Delegated, DateTimeOffset Until, int Failures, DateTimeOffset FetchedAt);
}
