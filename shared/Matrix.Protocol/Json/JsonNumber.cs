using System.Buffers.Text;
using System.Globalization;

namespace Matrix.Protocol;

/// <summary>The literal of a number, by its grammar (RFC 8259, section 6).</summary>
/// <param name="Length">How many bytes it has.</param>
/// <param name="IsInteger">Has it neither fraction nor exponent?</param>
readonly record struct JsonNumber(int Length, bool IsInteger, bool HasExponent, bool IsNegativeZero)
{
    const long MaxInteger = (1L << 53) - 1;

    /// <summary>The number that the text starts with; length 0 if it starts with none.</summary>
    public static JsonNumber Scan(ReadOnlySpan<byte> text)
    {
        var position = text.StartsWith("-"u8) ? 1 : 0;
        var digits = Digits(text[position..]);
        if (digits == 0 || (digits > 1 && text[position] == '0'))
            return default;
        var isNegativeZero = position == 1 && digits == 1 && text[1] == '0';
        position += digits;
        var integerEnd = position;
        if (position < text.Length && text[position] == '.')
        {
            var fraction = Digits(text[(position + 1)..]);
            if (fraction == 0)
                return default;
            position += fraction + 1;
        }
        var exponent = ScanExponent(text[position..]);
        if (exponent < 0)
            return default;
        return new(position + exponent, position + exponent == integerEnd, exponent > 0, isNegativeZero);
    }

    /// <summary>Is this an integer in ±(2^53−1), written without exponent, and not -0?</summary>
    public bool IsCanonical(ReadOnlySpan<byte> text) =>
        IsInteger && !IsNegativeZero && Utf8Parser.TryParse(text, out long value, out _) && value is >= -MaxInteger and <= MaxInteger;

    /// <summary>The integer that a number with an exponent, or -0, stands for; null if there is none in ±(2^53−1).</summary>
    public long? Simplify(ReadOnlySpan<byte> text)
    {
        if (IsInteger)
            return IsNegativeZero ? 0 : null;
        return HasExponent && double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) is var value
            && double.IsInteger(value) && Math.Abs(value) <= MaxInteger ? (long)value : null;
    }

    /// <summary>The length of an exponent; 0 if there is none, -1 if it is broken.</summary>
    static int ScanExponent(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || (text[0] | 0x20) != 'e')
            return 0;
        var sign = text.Length > 1 && text[1] is (byte)'+' or (byte)'-' ? 1 : 0;
        var digits = Digits(text[(1 + sign)..]);
        return digits == 0 ? -1 : 1 + sign + digits;
    }

    static int Digits(ReadOnlySpan<byte> text)
    {
        var count = 0;
        while (count < text.Length && char.IsAsciiDigit((char)text[count]))
            count++;
        return count;
    }
}
