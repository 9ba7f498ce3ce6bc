using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Http;
using Matrix.MediaRepo.Fetching;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Previews;

/// <summary>Tells users what an address is about, so that their clients need not go there. Each address is fetched once for all replicas, and kept for a while.</summary>
public sealed partial class Previewer(
    PreviewStore store, SharedWork work, PreviewFetcher fetcher, RateBuckets buckets, PreviewOptions options, TimeProvider time, ILogger<Previewer> logger)
{
    const int LongestAddress = 4000;

    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30), s_failureLifetime = TimeSpan.FromMinutes(1);

    /// <returns>JSON.</returns>
    /// <exception cref="MatrixException">The address is none, may not be fetched, or could not be.</exception>
    public async Task<string> Get(string url, UserId user, CancellationToken ct)
    {
        if (url.Length > LongestAddress || !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.Host.Length == 0)
            throw MatrixException.InvalidParam("url must be an address of http or https.");
        if (address.UserInfo.Length > 0 || !options.Allows(address))
            throw MatrixException.Forbidden("This server does not look at that address.");
        address = new UriBuilder(address) { Fragment = "" }.Uri;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(address.AbsoluteUri));
        var found = await store.Find(hash, time.GetUtcNow(), ct);
        if (found == null)
        {
            if (await buckets.Take($"rc_url_preview:{user}", options.RcUrlPreview.PerSecond, options.RcUrlPreview.BurstCount, ct) is { } wait)
                throw MatrixException.LimitExceeded(wait);
            found = await work.Get($"preview:{Convert.ToHexStringLower(hash)}", s_patience,
                token => store.Find(hash, time.GetUtcNow(), token), token => Make(hash, address, token), ct);
        }
        return found.Body ?? throw new MatrixException(502, "M_UNKNOWN", "The address could not be looked at.");
    }

    async Task<PreviewRow> Make(byte[] hash, Uri address, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(s_patience * 0.8);
        string? body = null;
        try
        {
            body = JsonSerializer.Serialize(await fetcher.Fetch(address, limit.Token));
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is FetchException or IOException or JsonException or OperationCanceledException)
        {
            NotFetched(address.Host, e.Message);
        }
        await store.Upsert(hash, body, time.GetUtcNow() + (body == null ? s_failureLifetime : options.UrlPreviewCacheLifetime), ct);
        return new PreviewRow(body);
    }

    // not the whole address: what users look at is theirs
    [LoggerMessage(Level = LogLevel.Debug, Message = "No preview of an address at {Host}: {Reason}")]
    partial void NotFetched(string host, string reason);
}

/// <summary>Goes to an address and says what is there, in the names of OpenGraph.</summary>
public sealed class PreviewFetcher : IDisposable
{
    const long LargestPage = 2 << 20, LargestOembed = 256 << 10;

    readonly SafeHttp _http;
    readonly PreviewImages _images;
    readonly OembedProviders _providers;
    readonly PreviewOptions _options;

    public PreviewFetcher(PreviewOptions options, PreviewImages images, OembedProviders providers, Names names)
    {
        (_options, _images, _providers) = (options, images, providers);
        _http = new SafeHttp(new AddressRanges(options.UrlPreviewIpRangeBlacklist ?? AddressRanges.NotPublic, options.UrlPreviewIpRangeWhitelist), names);
    }

    public async Task<Dictionary<string, object>> Fetch(Uri address, CancellationToken ct)
    {
        if (_providers.Find(address) is { } provider)
            return await Describe(await AskOembed(new PageMetadata([], null, null), provider, ct), ct);
        await using var fetched = await Get(address, ct);
        var type = fetched.Response.Content.Headers.ContentType;
        if (type?.MediaType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) == true)
        {
            var preview = new Dictionary<string, object>();
            await _images.AddTo(preview, await fetched.ReadAll(_options.MaxSpiderSize, ct), ct);
            return preview;
        }
        if (type?.MediaType is not ("text/html" or "application/xhtml+xml"))
            return [];
        var html = PageText.Decode(await fetched.ReadAll(Math.Min(LargestPage, _options.MaxSpiderSize), ct), type.CharSet);
        var page = PageMetadata.Read(html, fetched.Address);
        if (page.Oembed is { } oembed)
            page = await TryOembed(page, oembed, ct);
        return await Describe(page, ct);
    }

    public void Dispose() => _http.Dispose();

    // the page alone says much, and its picture less
    async Task<Dictionary<string, object>> Describe(PageMetadata page, CancellationToken ct)
    {
        var preview = page.Properties.ToDictionary(pair => pair.Key, pair => (object)pair.Value);
        if (page.Image is not { } image)
            return preview;
        try
        {
            await using var fetched = await Get(image, ct);
            await _images.AddTo(preview, await fetched.ReadAll(_options.MaxSpiderSize, ct), ct);
        }
        catch (FetchException)
        {
            // without it
        }
        return preview;
    }

    async Task<PageMetadata> TryOembed(PageMetadata page, Uri oembed, CancellationToken ct)
    {
        try
        {
            return await AskOembed(page, oembed, ct);
        }
        catch (Exception e) when (e is FetchException or JsonException)
        {
            return page;
        }
    }

    async Task<PageMetadata> AskOembed(PageMetadata page, Uri oembed, CancellationToken ct)
    {
        await using var fetched = await Get(oembed, ct);
        return OembedAnswer.AddTo(page, await fetched.ReadAll(LargestOembed, ct));
    }

    Task<Fetched> Get(Uri address, CancellationToken ct) => _http.Get(address, request =>
    {
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Mozilla", "5.0"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("(compatible; Matrix link preview; bot)"));
        foreach (var language in _options.UrlPreviewAcceptLanguage)
            request.Headers.TryAddWithoutValidation("Accept-Language", language);
    }, _options.Allows, ct);
}
