using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A device of a user: opaque, 1 to 255 bytes.</summary>
[JsonConverter(typeof(IdentifierJsonConverter<DeviceId>))]
public readonly record struct DeviceId : IParsable<DeviceId>, IComparable<DeviceId>
{
    readonly string? _value;

    DeviceId(string value) => _value = value;

    /// <exception cref="InvalidIdentifierException">The text breaks the grammar.</exception>
    public static DeviceId Parse(string s, IFormatProvider? provider = null)
    {
        if (!TryParse(s, provider, out var result))
            Grammar.Refuse<DeviceId>(s);
        return result;
    }

    /// <summary>Reads the wire form; false, and no value, if it breaks the grammar.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out DeviceId result)
    {
        var valid = s is not null && IsValid(s);
        result = valid ? new DeviceId(s!) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out DeviceId)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out DeviceId result) => TryParse(s, null, out result);

    /// <summary>Ordinal order of the wire form.</summary>
    public int CompareTo(DeviceId other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The wire form.</summary>
    public override string ToString() => Grammar.Text<DeviceId>(_value);

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(DeviceId left, DeviceId right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(DeviceId left, DeviceId right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(DeviceId left, DeviceId right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(DeviceId left, DeviceId right) => left.CompareTo(right) >= 0;

    static bool IsValid(ReadOnlySpan<char> text) => text.Length > 0 && Grammar.IsText(text);
}
