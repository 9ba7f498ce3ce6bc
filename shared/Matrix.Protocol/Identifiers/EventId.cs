using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>An event: <c>$opaque:server</c> in room versions 1 and 2, <c>$hash</c> since (Appendices, Event IDs). Opaque to all but its room.</summary>
[JsonConverter(typeof(IdentifierJsonConverter<EventId>))]
public readonly record struct EventId : IParsable<EventId>, IComparable<EventId>
{
    readonly string? _value;

    EventId(string value) => _value = value;

    /// <summary>The server in an id of room versions 1 and 2; null when there is none.</summary>
    public ServerName? Server =>
        ToString().IndexOf(':') is > 0 and var colon && ServerName.TryParse(_value![(colon + 1)..], out var server) ? server : null;

    /// <summary>An id of room versions 1 and 2.</summary>
    /// <exception cref="InvalidIdentifierException">The opaque part has a colon or NUL, or the whole is above 255 bytes.</exception>
    public static EventId Create(string opaque, ServerName server) => Parse(Grammar.Join('$', opaque, server));

    /// <summary>For ids that this library computed itself.</summary>
    internal static EventId Trusted(string value) => new(value);

    /// <exception cref="InvalidIdentifierException">The text breaks the grammar.</exception>
    public static EventId Parse(string s, IFormatProvider? provider = null)
    {
        if (!TryParse(s, provider, out var result))
            Grammar.Refuse<EventId>(s);
        return result;
    }

    /// <summary>Reads the wire form; false, and no value, if it breaks the grammar.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out EventId result)
    {
        var valid = s is not null && IsValid(s);
        result = valid ? new EventId(s!) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out EventId)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out EventId result) => TryParse(s, null, out result);

    /// <summary>Ordinal order of the wire form.</summary>
    public int CompareTo(EventId other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The wire form.</summary>
    public override string ToString() => Grammar.Text<EventId>(_value);

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(EventId left, EventId right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(EventId left, EventId right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(EventId left, EventId right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(EventId left, EventId right) => left.CompareTo(right) >= 0;

    static bool IsValid(ReadOnlySpan<char> text) => text.Length > 1 && text[0] == '$' && Grammar.IsText(text);
}
