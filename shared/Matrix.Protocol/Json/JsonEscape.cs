using System.Buffers.Text;

namespace Matrix.Protocol;

/// <summary>Escapes in JSON strings.</summary>
static class JsonEscape
{
    /// <summary>The character of the escape whose backslash comes just before; -1 for an unknown escape and for half a surrogate pair.</summary>
    /// <param name="consumed">How many bytes the escape has after its backslash.</param>
    public static int Read(ReadOnlySpan<byte> text, out int consumed)
    {
        consumed = 1;
        if (text.IsEmpty)
            return -1;
        switch (text[0])
        {
            case (byte)'"' or (byte)'\\' or (byte)'/': return text[0];
            case (byte)'b': return '\b';
            case (byte)'f': return '\f';
            case (byte)'n': return '\n';
            case (byte)'r': return '\r';
            case (byte)'t': return '\t';
            case (byte)'u': return ReadCodePoint(text, out consumed);
            default: return -1;
        }
    }

    /// <summary>Is the escape whose backslash comes just before a surrogate?</summary>
    public static bool IsHalf(ReadOnlySpan<byte> text) => text.StartsWith("u"u8) && ReadUnit(text[1..]) is >= 0 and var unit && char.IsSurrogate((char)unit);

    static int ReadCodePoint(ReadOnlySpan<byte> text, out int consumed)
    {
        consumed = 5;
        var unit = ReadUnit(text[1..]);
        if (unit < 0 || !char.IsSurrogate((char)unit))
            return unit;
        consumed = 11;
        if (char.IsLowSurrogate((char)unit) || text.Length < 11 || !text[5..].StartsWith("\\u"u8))
            return -1;
        var low = ReadUnit(text[7..]);
        return low >= 0 && char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)unit, (char)low) : -1;
    }

    static int ReadUnit(ReadOnlySpan<byte> text) =>
        text.Length >= 4 && Utf8Parser.TryParse(text[..4], out ushort unit, out var read, 'x') && read == 4 ? unit : -1;
}
