using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace Matrix.MediaRepo.Previews;

/// <summary>What a page says of itself: OpenGraph first, then Twitter cards, then what is on it.</summary>
/// <param name="Properties">Texts by their OpenGraph names, without the picture.</param>
/// <param name="Oembed">Where it says that it is described as oEmbed.</param>
sealed record PageMetadata(Dictionary<string, string> Properties, Uri? Image, Uri? Oembed)
{
    const int LongestText = 500, MostProperties = 50;

    /// <summary>No more tags than this are read: a page that nests without end makes every step through it longer than the one before.</summary>
    const int MostTags = 8000;

    static readonly HashSet<string> s_wanted = new(StringComparer.Ordinal)
    {
        "og:title", "og:description", "og:url", "og:site_name", "og:type", "og:video", "og:audio", "og:locale", "article:author", "article:published_time",
    };

    public static PageMetadata Read(string html, Uri address)
    {
        using var document = new HtmlParser().ParseDocument(Cut(html));
        var found = new Dictionary<string, string>();
        foreach (var meta in document.QuerySelectorAll("meta[content]").Take(1000))
        {
            var name = (meta.GetAttribute("property") ?? meta.GetAttribute("name"))?.ToLowerInvariant();
            if (name != null && meta.GetAttribute("content") is { Length: > 0 } content && found.Count < 200)
                found.TryAdd(name, content.Trim());
        }
        var properties = found.Where(pair => s_wanted.Contains(pair.Key)).Take(MostProperties).ToDictionary(pair => pair.Key, pair => Shorten(pair.Value));
        Fill(properties, "og:title", found.GetValueOrDefault("twitter:title"), document.Title, document.QuerySelector("h1")?.TextContent);
        Fill(properties, "og:description", found.GetValueOrDefault("twitter:description"), found.GetValueOrDefault("description"), FirstText(document));
        var picture = First(found, "og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
            ?? document.QuerySelector("link[rel~=image_src][href]")?.GetAttribute("href") ?? Picture(document) ?? Icon(document);
        var oembed = document.QuerySelector("link[rel~=alternate][type='application/json+oembed'][href]")?.GetAttribute("href");
        return new PageMetadata(properties, Absolute(address, picture), Absolute(address, oembed));
    }

    /// <summary>The words of a piece of HTML.</summary>
    public static string TextOf(string html)
    {
        using var document = new HtmlParser().ParseDocument(Cut(html));
        return Shorten(document.Body?.TextContent ?? "");
    }

    static string Cut(string html)
    {
        var end = -1;
        for (var tags = 0; tags <= MostTags; tags++)
        {
            if ((end = html.IndexOf('<', end + 1)) < 0)
                return html;
        }
        return html[..end];
    }

    /// <summary>One line, not too long.</summary>
    public static string Shorten(string text)
    {
        // what is so long is cut before it is split
        var line = string.Join(' ', text[..Math.Min(text.Length, LongestText * 8)].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= LongestText ? line : $"{line[..(char.IsHighSurrogate(line[LongestText - 1]) ? LongestText - 1 : LongestText)]}…";
    }

    static void Fill(Dictionary<string, string> properties, string name, params ReadOnlySpan<string?> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (properties.ContainsKey(name))
                return;
            if (Shorten(candidate ?? "") is { Length: > 0 } text)
                properties[name] = text;
        }
    }

    static string? First(Dictionary<string, string> found, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (found.TryGetValue(name, out var value))
                return value;
        }
        return null;
    }

    static string? FirstText(IDocument document) => document.QuerySelectorAll("p").Take(20)
        .Select(paragraph => paragraph.TextContent).FirstOrDefault(text => text.Trim().Length > 40);

    // one that says that it is large
    static string? Picture(IDocument document) => document.QuerySelectorAll("img[src]").Take(200)
        .FirstOrDefault(image => Side(image, "width") > 200 && Side(image, "height") > 100)?.GetAttribute("src");

    static string? Icon(IDocument document) => document.QuerySelectorAll("link[rel~=icon][href], link[rel~=apple-touch-icon][href]").Take(20)
        .OrderByDescending(link => int.TryParse(link.GetAttribute("sizes")?.Split('x')[0], out var size) ? size : 0).FirstOrDefault()?.GetAttribute("href");

    static int Side(IElement image, string name) => int.TryParse(image.GetAttribute(name), out var side) ? side : 0;

    static Uri? Absolute(Uri address, string? relative) =>
        !string.IsNullOrWhiteSpace(relative) && relative.Length < 4000 && Uri.TryCreate(address, relative.Trim(), out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : null;
}
