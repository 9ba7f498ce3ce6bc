using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A room: <c>!opaque:server</c>, or <c>!hash</c> of the create event since room version 12 (Appendices, Room IDs).</summary>
[JsonConverter(typeof(IdentifierJsonConverter<RoomId>))]
public readonly record struct RoomId : IParsable<RoomId>, IComparable<RoomId>
{
    readonly string? _value;

    RoomId(string value) => _value = value;

    /// <summary>The server that made the room up to version 11; null since 12. It need not be in the room: never route by it alone.</summary>
    public ServerName? Server => ToString().Contains(':') ? Grammar.Domain(_value!) : null;

    /// <summary>A room of version 1 to 11 with this opaque part.</summary>
    /// <exception cref="InvalidIdentifierException">The opaque part has a colon or NUL, or the whole is above 255 bytes.</exception>
    public static RoomId Create(string opaque, ServerName server) => Parse(Grammar.Join('!', opaque, server));

    /// <summary>The room that this create event makes in version 12 and later: its event id under the sigil of rooms.</summary>
    public static RoomId FromCreateEvent(EventId create) => new(string.Concat("!", create.ToString().AsSpan(1)));

    /// <summary>The create event that a version 12 room is named after; null for a room id with a server.</summary>
    public EventId? CreateEventId =>
        ToString().Contains(':') ? null : EventId.Parse(string.Concat("$", _value.AsSpan(1)));

    /// <exception cref="InvalidIdentifierException">The text breaks the grammar.</exception>
    public static RoomId Parse(string s, IFormatProvider? provider = null)
    {
        if (!TryParse(s, provider, out var result))
            Grammar.Refuse<RoomId>(s);
        return result;
    }

    /// <summary>Reads the wire form; false, and no value, if it breaks the grammar.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out RoomId result)
    {
        var valid = s is not null && IsValid(s);
        result = valid ? new RoomId(s!) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out RoomId)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out RoomId result) => TryParse(s, null, out result);

    /// <summary>Ordinal order of the wire form.</summary>
    public int CompareTo(RoomId other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The wire form.</summary>
    public override string ToString() => Grammar.Text<RoomId>(_value);

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(RoomId left, RoomId right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(RoomId left, RoomId right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(RoomId left, RoomId right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(RoomId left, RoomId right) => left.CompareTo(right) >= 0;

    static bool IsValid(ReadOnlySpan<char> text) =>
        text.Contains(':') ? Grammar.IsSigilled(text, '!') : text.Length > 1 && text[0] == '!' && Grammar.IsText(text);
}
