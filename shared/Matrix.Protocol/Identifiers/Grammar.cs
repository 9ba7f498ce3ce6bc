using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Matrix.Protocol;

/// <summary>What the identifiers' grammars have in common (Appendices, Identifier Grammar).</summary>
static class Grammar
{
    /// <summary>The longest identifier, in bytes of UTF-8, sigil and domain included.</summary>
    public const int MaxBytes = 255;

    static readonly SearchValues<char> Surrogates = SearchValues.Create(SurrogateCharacters());

    /// <summary>Is this at most 255 bytes of legal, non-surrogate code points without NUL?</summary>
    public static bool IsText(ReadOnlySpan<char> text)
    {
        if (text.Length > MaxBytes || text.Contains('\0'))
            return false;
        if (text.ContainsAny(Surrogates) && !HasPairedSurrogates(text))
            return false;
        return Encoding.UTF8.GetByteCount(text) <= MaxBytes;
    }

    /// <summary>Is this <c>&amp;localpart:domain</c> for the sigil <c>&amp;</c>? The localpart ends at the first colon.</summary>
    public static bool IsSigilled(ReadOnlySpan<char> text, char sigil)
    {
        if (text.Length < 2 || text[0] != sigil || !IsText(text))
            return false;
        var colon = text.IndexOf(':');
        return colon > 0 && ServerName.IsValid(text[(colon + 1)..]);
    }

    /// <summary>The wire form of an identifier with a server. A colon in its first part would be taken for the one before the server.</summary>
    public static string Join(char sigil, string localpart, ServerName server) => localpart.Contains(':')
        ? throw new InvalidIdentifierException("There is a colon in what stands before the server.") : $"{sigil}{localpart}:{server}";

    public static string Localpart(string value) => value[1..value.IndexOf(':')];

    public static ServerName Domain(string value) => ServerName.Trusted(value[(value.IndexOf(':') + 1)..]);

    /// <summary>The text of an identifier; <c>default</c> is the one hole of a struct, and it must not be taken for one.</summary>
    public static string Text<T>(string? value) =>
        value ?? throw new InvalidOperationException($"This {typeof(T).Name} was never set.");

    [DoesNotReturn]
    public static void Refuse<T>(string? value)
    {
        var shown = value is { Length: > 300 } ? value[..300] : value;
        throw new InvalidIdentifierException($"'{shown}' is not a valid {typeof(T).Name}.");
    }

    static bool HasPairedSurrogates(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out _, out var consumed) != OperationStatus.Done)
                return false;
            text = text[consumed..];
        }
        return true;
    }

    static char[] SurrogateCharacters() => [.. Enumerable.Range(0xD800, 0x800).Select(code => (char)code)];
}
