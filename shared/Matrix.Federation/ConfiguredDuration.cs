using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Matrix.Federation;

/// <summary>Durations in homeserver.yaml.</summary>
public static class ConfiguredDuration
{
    /// <inheritdoc cref="Read(string?)"/>
    /// <exception cref="InvalidOperationException">It is none; said as the framework's binder says it, so that the start can tell which key it is.</exception>
    public static TimeSpan? Read(IConfiguration configuration, string key)
    {
        try
        {
            return Read(configuration[key]);
        }
        catch (FormatException e)
        {
            throw new InvalidOperationException($"Failed to convert configuration value '{configuration[key]}' at '{configuration.GetSection(key).Path}' to type 'duration'.", e);
        }
    }

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
