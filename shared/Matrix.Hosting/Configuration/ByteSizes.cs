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
}
