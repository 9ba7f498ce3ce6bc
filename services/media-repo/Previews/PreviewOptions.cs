using System.ComponentModel.DataAnnotations;
using System.IO.Enumeration;
using System.Text.RegularExpressions;
using Matrix.Federation;
using Matrix.Hosting.Configuration;
using Matrix.Http;

namespace Matrix.MediaRepo.Previews;

/// <summary>Whether and how addresses are looked at for users. Keys as in Synapse's configuration where it has them.</summary>
public sealed class PreviewOptions : IValidatableObject
{
    /// <summary>Show users what is behind addresses in messages: this server fetches them. Needs <c>url_preview_ip_range_blacklist</c>.</summary>
    public bool UrlPreviewEnabled { get; set; }

    /// <summary>Addresses that are never connected to (CIDR). Must be said: there is no list that is right for every network.</summary>
    public IReadOnlyList<string>? UrlPreviewIpRangeBlacklist { get; set; }

    /// <summary>Exceptions from <c>url_preview_ip_range_blacklist</c>.</summary>
    public IReadOnlyList<string> UrlPreviewIpRangeWhitelist { get; set; } = [];

    /// <summary>
    /// Addresses that are not fetched. All parts that an entry has must fit: <c>*</c> stands for any letters, and what begins with <c>^</c> is a regular
    /// expression.
    /// </summary>
    public IReadOnlyList<UrlRule> UrlPreviewUrlBlacklist { get; set; } = [];

    /// <summary>The only addresses that are fetched. Left out: all.</summary>
    public IReadOnlyList<UrlRule> UrlPreviewUrlWhitelist { get; set; } = [];

    /// <summary>The most that is read of a page or picture.</summary>
    [ByteSize, Range(1024, 1L << 30)] public long MaxSpiderSize { get; set; } = 10L * 1024 * 1024;

    /// <summary>The languages that pages are asked for in, the preferred ones first.</summary>
    public IReadOnlyList<string> UrlPreviewAcceptLanguage { get; set; } = ["en"];

    /// <summary>A file of oEmbed providers as oembed.com publishes it.</summary>
    public string? UrlPreviewOembedProvidersPath { get; set; }

    /// <summary>How long a preview is kept.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "30.00:00:00")] public TimeSpan UrlPreviewCacheLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Addresses that a user has fetched.</summary>
    public RateLimit RcUrlPreview { get; set; } = new() { PerSecond = 1, BurstCount = 20 };

    /// <summary>May this address be fetched?</summary>
    public bool Allows(Uri address) => !UrlPreviewUrlBlacklist.Any(rule => rule.Fits(address))
        && (UrlPreviewUrlWhitelist.Count == 0 || UrlPreviewUrlWhitelist.Any(rule => rule.Fits(address)));

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (UrlPreviewEnabled && UrlPreviewIpRangeBlacklist == null)
            yield return new ValidationResult("must be set if url_preview_enabled is: else users reach this server's own network", [nameof(UrlPreviewIpRangeBlacklist)]);
        foreach (var range in (UrlPreviewIpRangeBlacklist ?? []).Where(range => !AddressRanges.TryParse(range, out _)))
            yield return new ValidationResult($"'{range}' is not a range such as 10.0.0.0/8", [nameof(UrlPreviewIpRangeBlacklist)]);
        foreach (var range in UrlPreviewIpRangeWhitelist.Where(range => !AddressRanges.TryParse(range, out _)))
            yield return new ValidationResult($"'{range}' is not a range such as 10.0.0.0/8", [nameof(UrlPreviewIpRangeWhitelist)]);
        if (UrlPreviewOembedProvidersPath is { } path && !File.Exists(path))
            yield return new ValidationResult($"there is no file {path}", [nameof(UrlPreviewOembedProvidersPath)]);
    }
}

/// <summary>Parts of an address that all must fit: <c>*</c> stands for any letters, and what begins with <c>^</c> is a regular expression.</summary>
public sealed class UrlRule
{
    static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(100);

    /// <summary>Such as <c>http</c>.</summary>
    public string? Scheme { get; set; }

    /// <summary>The host, and the port if it is named.</summary>
    public string? Netloc { get; set; }

    /// <summary>The port, also where it is the usual one.</summary>
    public string? Port { get; set; }

    /// <summary>The name before the host.</summary>
    public string? Username { get; set; }

    /// <summary>The path, with the slash that it begins with.</summary>
    public string? Path { get; set; }

    /// <summary>What stands behind the question mark.</summary>
    public string? Query { get; set; }

    internal bool Fits(Uri address)
    {
        (string? Pattern, string Value)[] parts =
        [
            (Scheme, address.Scheme), (Netloc, address.IsDefaultPort ? address.Host : address.Authority), (Username, address.UserInfo.Split(':')[0]),
            (Port, address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)), (Path, address.AbsolutePath), (Query, address.Query.TrimStart('?')),
        ];
        return parts.Any(part => part.Pattern != null) && parts.All(part => part.Pattern == null || Fits(part.Pattern, part.Value));
    }

    static bool Fits(string pattern, string value) => pattern.StartsWith('^')
        ? Regex.IsMatch(value, pattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, s_patience)
        : FileSystemName.MatchesSimpleExpression(pattern, value);
}
