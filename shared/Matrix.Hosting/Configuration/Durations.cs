using System.Globalization;

namespace Matrix.Hosting.Configuration;

/// <summary>
/// Durations as Synapse's configuration writes them: a number with ms, s, m, h, d, w or y; a number alone is milliseconds.
/// </summary>
public static class Durations
{
    public static TimeSpan Parse(string text) =>
        TryParse(text, out var value) ? value : throw new FormatException($"'{text}' is not a duration such as 500ms, 30s, 5m, 1h, 7d");

    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        var span = text.AsSpan().Trim();
        var digits = span.IndexOfAnyExceptInRange('0', '9') is var end && end < 0 ? span.Length : end;
        if (!long.TryParse(span[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        long? unit = span[digits..].Trim() switch
        {
            "" or "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => null,
        };
        if (unit is null || number > (long)TimeSpan.MaxValue.TotalMilliseconds / unit) return false;
        value = TimeSpan.FromMilliseconds(number * unit.Value);
        return true;
    }

    /// <summary>As an operator would write it: in the largest unit that it is whole in.</summary>
    public static string Text(TimeSpan value)
    {
        (string Unit, long Milliseconds)[] units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
        var all = (long)value.TotalMilliseconds;
        foreach (var (unit, milliseconds) in units)
            if (all != 0 && all % milliseconds == 0) return string.Create(CultureInfo.InvariantCulture, $"{all / milliseconds}{unit}");
        return all == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{all}ms");
    }
}
