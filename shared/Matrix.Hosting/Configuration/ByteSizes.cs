using System.Globalization;

namespace Matrix.Hosting.Configuration;

/// <summary>Sizes as Synapse's configuration writes them: bytes, or a number with K, M, G or T (powers of 1024).</summary>
public static class ByteSizes
{
    public static long Parse(string text) =>
        TryParse(text, out var value) ? value : throw new FormatException($"'{text}' is not a size such as 500K, 50M, 1G");

    public static bool TryParse(string? text, out long value)
    {
        value = 0;
        var span = text.AsSpan().Trim();
        if (span.EndsWith("B", StringComparison.OrdinalIgnoreCase)) span = span[..^1];
        if (span.IsEmpty) return false;
        var shift = char.ToUpperInvariant(span[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
        if (shift > 0) span = span[..^1].TrimEnd();
        if (!long.TryParse(span, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > long.MaxValue >> shift) return false;
        value = number << shift;
        return true;
    }

    /// <summary>As an operator would write it: in the largest unit that it is whole in.</summary>
    public static string Text(long value)
    {
        (string Unit, int Shift)[] units = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];
        foreach (var (unit, shift) in units)
            if (value != 0 && value % (1L << shift) == 0) return string.Create(CultureInfo.InvariantCulture, $"{value >> shift}{unit}");
        return value.ToString(CultureInfo.InvariantCulture);
    }
}
