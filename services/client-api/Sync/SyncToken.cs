using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Matrix.ClientApi.Sync.Presence;
using Matrix.ClientApi.Sync.Typing;
using Matrix.Replication;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// A place between two entries of the log: everything up to and including <see cref="Position"/> lies before it. As <c>s123</c> it is what
/// sync hands out as next_batch, as <c>t123</c> a place in one room's timeline (prev_batch, start, end); both are accepted wherever
/// a client may bring a token. History before the first synced event has negative positions. After an underscore follows what is
/// ephemeral and may be lost: what the client knows of who is typing, and after a p of who is there; and, as <c>d100</c>, how far the device has its messages, when that is less far
/// than the rest; in a timeline, as <c>g</c>, that events are missing there. Anything else there is for later versions, and is passed over.
/// </summary>
readonly record struct SyncToken(LogPosition Position, TypingMark? Typing = null, LogPosition? ToDevice = null, PresenceMark? Presence = null)
{
    /// <summary>Right below the event at the next position others are missing.</summary>
    public bool AtGap { get; init; }

    /// <summary>Parses <c>s…</c> or <c>t…</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SyncToken token)
    {
        token = default;
        if (text is not { Length: > 1 and < 256 } || text[0] is not ('s' or 't'))
            return false;
        var number = text.AsSpan(1);
        TypingMark? typing = null;
        LogPosition? toDevice = null;
        PresenceMark? presence = null;
        var atGap = false;
        var rest = ReadOnlySpan<char>.Empty;
        if (number.IndexOf('_') is >= 0 and var end)
        {
            rest = number[(end + 1)..];
            number = number[..end];
        }
        if (!long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            return false;
        foreach (var range in rest.Split('_'))
        {
            var part = rest[range];
            if (part.StartsWith('d') && long.TryParse(part[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var device))
                toDevice = new LogPosition(device);
            else if (part is "g")
                atGap = true;
            else if (part.StartsWith('p'))
                presence = ParseTyping(part) is { } mark ? new PresenceMark(mark.Process, mark.Number) : null;
            else
                typing ??= ParseTyping(part);
        }
        token = new SyncToken(new LogPosition(value), typing, toDevice, presence) { AtGap = atGap };
        return true;
    }

    /// <summary>The form of next_batch.</summary>
    public override string ToString()
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"s{Position.Value}");
        if (Typing is { Number: > 0 } typing)
            text += string.Create(CultureInfo.InvariantCulture, $"_{typing.Process}.{typing.Number}");
        if (Presence is { Number: > 0 } presence)
            text += string.Create(CultureInfo.InvariantCulture, $"_{presence.Process}.{presence.Number}");
        return ToDevice is { } toDevice && toDevice != Position ? text + string.Create(CultureInfo.InvariantCulture, $"_d{toDevice.Value}") : text;
    }

    /// <summary>The form of prev_batch, start and end.</summary>
    public string ToTimelineString() => string.Create(CultureInfo.InvariantCulture, $"t{Position.Value}{(AtGap ? "_g" : "")}");

    static TypingMark? ParseTyping(ReadOnlySpan<char> text)
    {
        var dot = text.IndexOf('.');
        return dot > 0 && long.TryParse(text[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new TypingMark(text[..dot].ToString(), number)
            : null;
    }
}
