using System.Globalization;
using System.Text;

namespace Matrix.Protocol;

/// <summary>
/// The content of one <c>m.room.power_levels</c> event, read into numbers. What is missing or unreadable is absent; what is unreadable is also
/// remembered, because the auth rules refuse some of it.
/// </summary>
sealed class PowerLevelContent
{
    /// <summary>The single levels that the auth rules compare.</summary>
    public static readonly string[] Names = ["users_default", "events_default", "state_default", "ban", "redact", "kick", "invite"];

    static readonly Dictionary<string, long> None = [];

    readonly Dictionary<string, long> _levels = [];

    public IReadOnlyDictionary<string, long> Users { get; private set; } = None;

    public IReadOnlyDictionary<string, long> Events { get; private set; } = None;

    public IReadOnlyDictionary<string, long> Notifications { get; private set; } = None;

    /// <summary>Is one of the single levels present and not a number by the room version?</summary>
    public bool HasBadLevel { get; private set; }

    /// <summary>Is <c>events</c> present and not an object of numbers?</summary>
    public bool HasBadEvents { get; private set; }

    /// <summary>Is <c>notifications</c> present and not an object of numbers?</summary>
    public bool HasBadNotifications { get; private set; }

    /// <summary>Is <c>users</c> present and not an object of user ids and numbers?</summary>
    public bool HasBadUsers { get; private set; }

    /// <summary>One of the single levels; null if absent.</summary>
    public long? Level(string name) => _levels.TryGetValue(name, out var level) ? level : null;

    public static PowerLevelContent Read(ReadOnlySpan<byte> content, PowerLevelFormat format)
    {
        var result = new PowerLevelContent();
        var reader = new JsonObjectReader(content);
        while (reader.MoveNext())
            result.ReadMember(JsonText.ReadName(reader.Name), reader.Value, format);
        return result;
    }

    void ReadMember(string name, ReadOnlySpan<byte> value, PowerLevelFormat format)
    {
        switch (name)
        {
            case "users":
                Users = ReadMap(value, format, out var usersAreGood);
                HasBadUsers = !usersAreGood || Users.Keys.Any(user => !UserId.TryParse(user, out _));
                break;
            case "events":
                Events = ReadMap(value, format, out var eventsAreGood);
                HasBadEvents = !eventsAreGood;
                break;
            case "notifications":
                Notifications = ReadMap(value, format, out var notificationsAreGood);
                HasBadNotifications = !notificationsAreGood;
                break;
            default:
                if (Array.IndexOf(Names, name) < 0)
                    break;
                if (ReadLevel(value, format) is { } level)
                    _levels[name] = level;
                else
                    HasBadLevel |= !IsNothing(value, format);
                break;
        }
    }

    static Dictionary<string, long> ReadMap(ReadOnlySpan<byte> value, PowerLevelFormat format, out bool isGood)
    {
        isGood = value[0] == '{';
        if (!isGood)
            return None;
        var levels = new Dictionary<string, long>();
        var reader = new JsonObjectReader(value);
        while (reader.MoveNext())
            if (ReadLevel(reader.Value, format) is { } level)
                levels[JsonText.ReadName(reader.Name)] = level;
            else
                isGood = false;
        return levels;
    }

    static long? ReadLevel(ReadOnlySpan<byte> value, PowerLevelFormat format)
    {
        if (JsonText.ReadInteger(value) is { } integer)
            return integer;
        return value[0] switch
        {
            (byte)'"' when format != PowerLevelFormat.Integers => ReadText(JsonText.ReadString(value)!),
            (byte)'-' or (>= (byte)'0' and <= (byte)'9') when format == PowerLevelFormat.Floats => ReadFloat(value),
            _ => null,
        };
    }

    /// <summary>Before version 10, null counts as absent.</summary>
    static bool IsNothing(ReadOnlySpan<byte> value, PowerLevelFormat format) =>
        format != PowerLevelFormat.Integers && value.SequenceEqual("null"u8);

    /// <summary>Whitespace, a sign and any number of zeroes may surround the digits.</summary>
    static long? ReadText(string text)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign;
        return long.TryParse(text.Trim(), Style, CultureInfo.InvariantCulture, out var level) ? level : null;
    }

    static long? ReadFloat(ReadOnlySpan<byte> value) =>
        double.TryParse(Encoding.ASCII.GetString(value), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && double.IsFinite(number) ? (long)Math.Truncate(number) : null;
}
