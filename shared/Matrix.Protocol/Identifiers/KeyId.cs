using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A signing key identifier: <c>algorithm:version</c>, such as <c>ed25519:a_1</c> (Appendices, Signing Details).</summary>
[JsonConverter(typeof(IdentifierJsonConverter<KeyId>))]
public readonly record struct KeyId : IParsable<KeyId>, IComparable<KeyId>
{
    readonly string? _value;

    KeyId(string value) => _value = value;

    /// <summary>What is before the colon, such as <c>ed25519</c>.</summary>
    public string Algorithm => ToString()[.._value!.IndexOf(':')];

    /// <summary>What is behind the first colon: a name that the owner gave the key, or a device id.</summary>
    public string Version => ToString()[(_value!.IndexOf(':') + 1)..];

    /// <exception cref="InvalidIdentifierException">The text breaks the grammar.</exception>
    public static KeyId Parse(string s, IFormatProvider? provider = null)
    {
        if (!TryParse(s, provider, out var result))
            Grammar.Refuse<KeyId>(s);
        return result;
    }

    /// <summary>Reads the wire form; false, and no value, if it breaks the grammar.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out KeyId result)
    {
        var valid = s is not null && IsValid(s);
        result = valid ? new KeyId(s!) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out KeyId)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out KeyId result) => TryParse(s, null, out result);

    /// <summary>Ordinal order of the wire form.</summary>
    public int CompareTo(KeyId other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The wire form.</summary>
    public override string ToString() => Grammar.Text<KeyId>(_value);

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(KeyId left, KeyId right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(KeyId left, KeyId right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(KeyId left, KeyId right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(KeyId left, KeyId right) => left.CompareTo(right) >= 0;

    static bool IsValid(ReadOnlySpan<char> text) =>
        text.IndexOf(':') is > 0 and var colon && colon < text.Length - 1 && Grammar.IsText(text);
}
