using System.Globalization;

namespace Matrix.Federation;

/// <summary>Durations in homeserver.yaml.</summary>
public static class ConfiguredDuration
{
    /// <summary>Milliseconds, or a number with a unit: <c>60s</c>. Null: none is given.</summary>
    public static TimeSpan? Read(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var digits = text.AsSpan().TrimEnd("msdhwy");
        if (!double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            throw new FormatException($"'{text}' is not a duration such as 60s");
        return text[digits.Length..] switch
        {
            "" or "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            "d" => TimeSpan.FromDays(number),
            "w" => TimeSpan.FromDays(7 * number),
            "y" => TimeSpan.FromDays(365 * number),
            _ => throw new FormatException($"'{text}' is not a duration such as 60s"),
        };
    }
}
