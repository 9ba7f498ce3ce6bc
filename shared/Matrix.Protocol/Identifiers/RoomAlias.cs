using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A name of a room: <c>#localpart:server</c> (Appendices, Room Aliases).</summary>
[JsonConverter(typeof(IdentifierJsonConverter<RoomAlias>))]
public readonly record struct RoomAlias : IParsable<RoomAlias>, IComparable<RoomAlias>
{
    readonly string? _value;

    RoomAlias(string value) => _value = value;

    /// <summary>What is between the sigil and the first colon.</summary>
    public string Localpart => Grammar.Localpart(ToString());

    /// <summary>The server that made the alias and knows the room.</summary>
    public ServerName Server => Grammar.Domain(ToString());

    /// <summary>The alias with this localpart on this server.</summary>
    /// <exception cref="InvalidIdentifierException">The localpart has a colon or NUL, or the whole is above 255 bytes.</exception>
    public static RoomAlias Create(string localpart, ServerName server) => Parse(Grammar.Join('#', localpart, server));

    /// <exception cref="InvalidIdentifierException">The text breaks the grammar.</exception>
    public static RoomAlias Parse(string s, IFormatProvider? provider = null)
    {
        if (!TryParse(s, provider, out var result))
            Grammar.Refuse<RoomAlias>(s);
        return result;
    }

    /// <summary>Reads the wire form; false, and no value, if it breaks the grammar.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out RoomAlias result)
    {
        var valid = s is not null && IsValid(s);
        result = valid ? new RoomAlias(s!) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out RoomAlias)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out RoomAlias result) => TryParse(s, null, out result);

    /// <summary>Ordinal order of the wire form.</summary>
    public int CompareTo(RoomAlias other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The wire form.</summary>
    public override string ToString() => Grammar.Text<RoomAlias>(_value);

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(RoomAlias left, RoomAlias right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(RoomAlias left, RoomAlias right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(RoomAlias left, RoomAlias right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(RoomAlias left, RoomAlias right) => left.CompareTo(right) >= 0;

    static bool IsValid(ReadOnlySpan<char> text) => Grammar.IsSigilled(text, '#');
}
