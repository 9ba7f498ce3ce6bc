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
    public bool UrlPreviewEnabled { get; set; }

    /// <summary>Addresses that are never connected to (CIDR). Must be said: there is no list that is right for every network.</summary>
    public IReadOnlyList<string>? UrlPreviewIpRangeBlacklist { get; set; }

    /// <summary>Exceptions from it.</summary>
    public IReadOnlyList<string> UrlPreviewIpRangeWhitelist { get; set; } = [];

    /// <summary>Addresses that are not fetched.</summary>
    public IReadOnlyList<UrlRule> UrlPreviewUrlBlacklist { get; set; } = [];

    /// <summary>If it is not empty, nothing else is fetched.</summary>
    public IReadOnlyList<UrlRule> UrlPreviewUrlWhitelist { get; set; } = [];

    /// <summary>Bytes of a page or picture, at most.</summary>
    [ByteSize, Range(1024, 1L << 30)] public long MaxSpiderSize { get; set; } = 10L * 1024 * 1024;

    public IReadOnlyList<string> UrlPreviewAcceptLanguage { get; set; } = ["en"];

    /// <summary>A file of oEmbed providers as oembed.com publishes it.</summary>
    public string? UrlPreviewOembedProvidersPath { get; set; }

    [Range(typeof(TimeSpan), "00:00:10", "30.00:00:00")] public TimeSpan UrlPreviewCacheLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How many addresses a user may have fetched.</summary>
    public RateLimit RcUrlPreview { get; set; } = new();

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

    public string? Scheme { get; set; }

    /// <summary>Host, and the port if it is named.</summary>
    public string? Netloc { get; set; }

    public string? Port { get; set; }

    public string? Username { get; set; }

    public string? Path { get; set; }

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
