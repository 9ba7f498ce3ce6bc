using System.IO.Enumeration;
using System.Text.Json;

namespace Matrix.MediaRepo.Previews;

/// <summary>Whom to ask about which addresses, by the operator's file of providers (oembed.com/providers.json).</summary>
public sealed class OembedProviders
{
    readonly List<(string Pattern, string Endpoint)> _schemes = [];

    public OembedProviders(PreviewOptions options)
    {
        if (options.UrlPreviewOembedProvidersPath is { } path)
            Read(JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(path)));
    }

    /// <summary>Where a provider describes this address; null if nobody does.</summary>
    public Uri? Find(Uri address)
    {
        var text = address.AbsoluteUri;
        foreach (var (pattern, endpoint) in _schemes)
        {
            if (FileSystemName.MatchesSimpleExpression(pattern, text))
                return new Uri($"{endpoint.Replace("{format}", "json", StringComparison.Ordinal)}{(endpoint.Contains('?', StringComparison.Ordinal) ? '&' : '?')}format=json&url={Uri.EscapeDataString(text)}");
        }
        return null;
    }

    void Read(JsonElement providers)
    {
        foreach (var endpoint in providers.EnumerateArray().SelectMany(provider => provider.GetProperty("endpoints").EnumerateArray()))
        {
            if (!endpoint.TryGetProperty("schemes", out var schemes) || endpoint.GetProperty("url").GetString() is not { } url)
                continue;
            _schemes.AddRange(schemes.EnumerateArray().Select(scheme => (scheme.GetString()!, url)));
        }
    }
}

/// <summary>What a provider says of an address (oembed.com).</summary>
static class OembedAnswer
{
    /// <summary>Adds it to what the page said, which counts more.</summary>
    public static PageMetadata AddTo(PageMetadata page, byte[] json)
    {
        var oembed = JsonSerializer.Deserialize<JsonElement>(json);
        if (oembed.ValueKind != JsonValueKind.Object)
            return page;
        var properties = new Dictionary<string, string>(page.Properties);
        Add(properties, "og:title", Text(oembed, "title") ?? Text(oembed, "author_name"));
        Add(properties, "og:site_name", Text(oembed, "provider_name"));
        if (Text(oembed, "type") == "rich" && Text(oembed, "html") is { } html)
            Add(properties, "og:description", PageMetadata.TextOf(html));
        var picture = Text(oembed, "type") == "photo" ? Text(oembed, "url") : Text(oembed, "thumbnail_url");
        var image = page.Image ?? (Uri.TryCreate(picture, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri : null);
        return page with { Properties = properties, Image = image };
    }

    static void Add(Dictionary<string, string> properties, string name, string? value)
    {
        if (value != null && PageMetadata.Shorten(value) is { Length: > 0 } text)
            properties.TryAdd(name, text);
    }

    static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and < 100_000 } text ? text : null;
}
