using System.Globalization;

namespace Matrix.Hosting.Configuration;

static class OptionValues
{
    /// <summary>The value, or null and what was wanted instead.</summary>
    public static (object? Value, string Wanted) Parse(string text, Type type, bool isByteSize)
    {
        if (type == typeof(string)) return (text, "");
        if (type == typeof(bool)) return (Bool(text), "true or false");
        if (type == typeof(TimeSpan)) return (Durations.TryParse(text, out var time) ? time : null, "a duration such as 500ms, 30s, 5m, 1h, 7d");
        if (isByteSize) return (ByteSizes.TryParse(text, out var size) ? size : null, "a size such as 500K, 50M, 1G");
        if (type.IsEnum)
        {
            var known = Enum.TryParse(type, text.Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var value) && Enum.IsDefined(type, value);
            return (known ? value : null, "one of " + string.Join(", ", Enum.GetNames(type)).ToLowerInvariant());
        }

        if (type == typeof(Uri)) return (Uri.TryCreate(text, UriKind.Absolute, out var uri) ? uri : null, "an address such as https://example.org/");
        if (type == typeof(int)) return (int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var n) ? n : null, "a whole number");
        if (type == typeof(long)) return (long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var l) ? l : null, "a whole number");
        if (type == typeof(double)) return (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? d : null, "a number");
        throw new NotSupportedException($"Options of type {type} cannot be read.");
    }

    static object? Bool(string text) => text.ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "ON" or "1" => true,
        "FALSE" or "NO" or "OFF" or "0" => false,
        _ => null,
    };

    /// <summary>A value, or a limit of one, as it would be written.</summary>
    public static string Text(object? value, Type type, bool isByteSize) => value switch
    {
        TimeSpan time => Durations.Text(time),
        string time when type == typeof(TimeSpan) => Durations.Text(TimeSpan.Parse(time, CultureInfo.InvariantCulture)),
        int or long or double when isByteSize => ByteSizes.Text(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        double number => number.ToString("0.#######", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value?.ToString() ?? "",
    };
}
