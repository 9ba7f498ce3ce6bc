using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Matrix.ClientApi.Sync.Typing;
using Matrix.Replication;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// Where a connection stands: everything up to and including <see cref="Position"/> was told, as far as the state of the connection with this
/// version says. It begins like a sync token, <c>s123_v…</c>, so that it is good wherever one of these is.
/// </summary>
/// <param name="Version">Names a stored state of the connection.</param>
readonly record struct SlidingPos(LogPosition Position, long Version, TypingMark Typing)
{
    public static bool TryParse([NotNullWhen(true)] string? text, out SlidingPos pos)
    {
        pos = default;
        if (text is not { Length: > 3 and < 128 } || text[0] != 's')
            return false;
        var parts = text[1..].Split('_');
        if (parts.Length is not (2 or 3)
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            || parts[1] is not ['v', ..]
            || !long.TryParse(parts[1].AsSpan(1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var version))
            return false;
        pos = new SlidingPos(new LogPosition(position), version, parts.Length == 3 ? Mark(parts[2]) : default);
        return true;
    }

    public override string ToString() => Typing.Number > 0
        ? string.Create(CultureInfo.InvariantCulture, $"s{Position.Value}_v{Version:x}_{Typing.Process}.{Typing.Number}")
        : string.Create(CultureInfo.InvariantCulture, $"s{Position.Value}_v{Version:x}");

    static TypingMark Mark(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && long.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new TypingMark(text[..dot], number)
            : default;
    }
}
