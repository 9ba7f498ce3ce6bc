using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A user: <c>@localpart:server</c> (Appendices, User Identifiers). Historical localparts, the empty one included, are accepted.</summary>
[JsonConverter(typeof(IdentifierJsonConverter<UserId>))]
public readonly record struct UserId : IParsable<UserId>, IComparable<UserId>
{
    readonly string? _value;

    UserId(string value) => _value = value;

    /// <summary>What is between the sigil and the first colon.</summary>
    public string Localpart => Grammar.Localpart(ToString());

    /// <summary>The server that has the account.</summary>
    public ServerName Server => Grammar.Domain(ToString());

    /// <summary>Does the localpart keep to today's grammar (<c>a-z 0-9 . _ = - / +</c>, not empty)? New accounts must.</summary>
    public bool IsStrictLocalpart => IsStrict(Localpart);

    /// <summary>Is it historical yet harmless: a localpart of U+0021 to U+007E only? Others are not forwarded outside of events.</summary>
    public bool IsCompliant => Localpart is { Length: > 0 } localpart && !localpart.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>The user with this localpart on this server.</summary>
    /// <exception cref="InvalidIdentifierException">The localpart has a colon or NUL, or the whole is above 255 bytes.</exception>
    public static UserId Create(string localpart, ServerName server) => Parse(Grammar.Join('@', localpart, server));

    /// <summary>Does this localpart keep to today's grammar?</summary>
    public static bool IsStrict(ReadOnlySpan<char> localpart) =>
        !localpart.IsEmpty && !localpart.ContainsAnyExcept(StrictCharacters);

    /// <exception cref="InvalidIdentifierException">The text breaks the grammar.</exception>
    public static UserId Parse(string s, IFormatProvider? provider = null)
    {
        if (!TryParse(s, provider, out var result))
            Grammar.Refuse<UserId>(s);
        return result;
    }

    /// <summary>Reads the wire form; false, and no value, if it breaks the grammar.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out UserId result)
    {
        var valid = s is not null && IsValid(s);
        result = valid ? new UserId(s!) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out UserId)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out UserId result) => TryParse(s, null, out result);

    /// <summary>Ordinal order of the wire form.</summary>
    public int CompareTo(UserId other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The wire form.</summary>
    public override string ToString() => Grammar.Text<UserId>(_value);

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(UserId left, UserId right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(UserId left, UserId right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(UserId left, UserId right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(UserId left, UserId right) => left.CompareTo(right) >= 0;

    static readonly SearchValues<char> StrictCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._=-/+");

    static bool IsValid(ReadOnlySpan<char> text) => Grammar.IsSigilled(text, '@');
}
