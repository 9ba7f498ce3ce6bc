using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A piece of media: <c>mxc://server/mediaId</c> (C-S API, Content repository). The media id has only <c>A-Za-z0-9_-</c>.</summary>
[JsonConverter(typeof(IdentifierJsonConverter<MxcUri>))]
public readonly record struct MxcUri : IParsable<MxcUri>, IComparable<MxcUri>
{
    readonly string? _value;

    MxcUri(string value) => _value = value;

    /// <summary>The server that has the media.</summary>
    public ServerName Server => ServerName.Trusted(ToString()[Scheme.Length.._value!.LastIndexOf('/')]);

    /// <summary>The name of the media on its server.</summary>
    public string MediaId => ToString()[(_value!.LastIndexOf('/') + 1)..];

    /// <summary>The address of this media id on this server.</summary>
    /// <exception cref="InvalidIdentifierException">The media id is empty or has other characters.</exception>
    public static MxcUri Create(ServerName server, string mediaId) => Parse($"{Scheme}{server}/{mediaId}");

    /// <exception cref="InvalidIdentifierException">The text breaks the grammar.</exception>
    public static MxcUri Parse(string s, IFormatProvider? provider = null)
    {
        if (!TryParse(s, provider, out var result))
            Grammar.Refuse<MxcUri>(s);
        return result;
    }

    /// <summary>Reads the wire form; false, and no value, if it breaks the grammar.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out MxcUri result)
    {
        var valid = s is not null && IsValid(s);
        result = valid ? new MxcUri(s!) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out MxcUri)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out MxcUri result) => TryParse(s, null, out result);

    /// <summary>Ordinal order of the wire form.</summary>
    public int CompareTo(MxcUri other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The wire form.</summary>
    public override string ToString() => Grammar.Text<MxcUri>(_value);

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(MxcUri left, MxcUri right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(MxcUri left, MxcUri right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(MxcUri left, MxcUri right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(MxcUri left, MxcUri right) => left.CompareTo(right) >= 0;

    const string Scheme = "mxc://";

    static readonly SearchValues<char> MediaCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    static bool IsValid(ReadOnlySpan<char> text)
    {
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
            return false;
        var rest = text[Scheme.Length..];
        var slash = rest.IndexOf('/');
        return slash > 0 && ServerName.IsValid(rest[..slash])
            && rest[(slash + 1)..] is { IsEmpty: false, Length: <= Grammar.MaxBytes } id && !id.ContainsAnyExcept(MediaCharacters);
    }
}
