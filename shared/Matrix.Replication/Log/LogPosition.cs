using System.Text.Json;
using System.Text.Json.Serialization;

namespace Matrix.Replication;

/// <summary>A place in the log. Positions are given in commit order, so a reader that has seen P has seen everything below P.</summary>
[JsonConverter(typeof(LogPositionJsonConverter))]
public readonly record struct LogPosition(long Value) : IComparable<LogPosition>
{
    /// <summary>Before the first entry.</summary>
    public static readonly LogPosition Start = new(0);

    public int CompareTo(LogPosition other) => Value.CompareTo(other.Value);

    public static bool operator <(LogPosition a, LogPosition b) => a.Value < b.Value;

    public static bool operator >(LogPosition a, LogPosition b) => a.Value > b.Value;

    public static bool operator <=(LogPosition a, LogPosition b) => a.Value <= b.Value;

    public static bool operator >=(LogPosition a, LogPosition b) => a.Value >= b.Value;

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A position as a JSON number.</summary>
sealed class LogPositionJsonConverter : JsonConverter<LogPosition>
{
    public override LogPosition Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt64());

    public override void Write(Utf8JsonWriter writer, LogPosition value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}
