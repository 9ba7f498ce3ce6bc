using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Matrix.Replication;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// A place between two entries of the log: everything up to and including <see cref="Position"/> lies before it. As <c>s123</c> it is what
/// sync hands out as next_batch, as <c>t123</c> a place in one room's timeline (prev_batch, start, end); both are accepted wherever
/// a client may bring a token. History before the first synced event has negative positions. What follows an underscore is
/// for later versions to fill: a token from a newer replica is still understood by an older one.
/// </summary>
readonly record struct SyncToken(LogPosition Position)
{
    /// <summary>Parses <c>s…</c> or <c>t…</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SyncToken token)
    {
        token = default;
        if (text is not { Length: > 1 and < 256 } || text[0] is not ('s' or 't'))
            return false;
        var number = text.AsSpan(1);
        if (number.IndexOf('_') is >= 0 and var end)
            number = number[..end];
        if (!long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            return false;
        token = new SyncToken(new LogPosition(value));
        return true;
    }

    /// <summary>The form of next_batch.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"s{Position.Value}");

    /// <summary>The form of prev_batch, start and end.</summary>
    public string ToTimelineString() => string.Create(CultureInfo.InvariantCulture, $"t{Position.Value}");
}
