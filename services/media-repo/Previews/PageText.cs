using System.Text;
using System.Text.RegularExpressions;

namespace Matrix.MediaRepo.Previews;

/// <summary>The text of a page in whatever encoding: the server says which, or the page, else it is UTF-8 if it can be and Windows-1252 if not.</summary>
static partial class PageText
{
    const int WhereCharsetIs = 2048;

    static readonly Encoding s_strict = new UTF8Encoding(false, throwOnInvalidBytes: true);

    static PageText() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public static string Decode(byte[] bytes, string? charset)
    {
        if (bytes is [0xef, 0xbb, 0xbf, ..])
            return Encoding.UTF8.GetString(bytes.AsSpan(3));
        if (Find(charset) is { } told)
            return told.GetString(bytes);
        var start = Encoding.Latin1.GetString(bytes.AsSpan(0, Math.Min(bytes.Length, WhereCharsetIs)));
        if (Charset().Match(start) is { Success: true } match && Find(match.Groups[1].Value) is { } said)
            return said.GetString(bytes);
        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.GetEncoding(1252).GetString(bytes);
        }
    }

    static Encoding? Find(string? name)
    {
        try
        {
            return string.IsNullOrWhiteSpace(name) ? null : Encoding.GetEncoding(name.Trim(' ', '"', '\''));
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    [GeneratedRegex("""<(?:meta|\?xml)\b[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 200)]
    private static partial Regex Charset();
}
