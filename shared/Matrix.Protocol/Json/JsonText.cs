using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>Strings and numbers in canonical JSON.</summary>
static class JsonText
{
    static readonly SearchValues<char> Escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(value => (char)value), '"', '\\']);

    public static bool NeedsEscape(int codePoint) => codePoint is < 0x20 or '"' or '\\';

    /// <summary>Writes one character in its shortest form; at most six bytes.</summary>
    public static int Encode(Rune rune, Span<byte> output)
    {
        if (!NeedsEscape(rune.Value))
            return rune.EncodeToUtf8(output);
        output[0] = (byte)'\\';
        output[1] = rune.Value switch
        {
            '\b' => (byte)'b',
            '\t' => (byte)'t',
            '\n' => (byte)'n',
            '\f' => (byte)'f',
            '\r' => (byte)'r',
            '"' or '\\' => (byte)rune.Value,
            _ => (byte)'u',
        };
        if (output[1] != 'u')
            return 2;
        "00"u8.CopyTo(output[2..]);
        Utf8Formatter.TryFormat((byte)rune.Value, output[4..], out _, new StandardFormat('x', 2));
        return 6;
    }

    /// <summary>Writes a string with its quotes.</summary>
    public static void Write(IBufferWriter<byte> output, string text)
    {
        output.Write("\""u8);
        if (text.AsSpan().ContainsAny(Escaped))
            foreach (var rune in text.EnumerateRunes())
            {
                var span = output.GetSpan(6);
                output.Advance(Encode(rune, span));
            }
        else
            Encoding.UTF8.GetBytes(text, output);
        output.Write("\""u8);
    }

    public static void Write(IBufferWriter<byte> output, long number)
    {
        var span = output.GetSpan(20);
        Utf8Formatter.TryFormat(number, span, out var written);
        output.Advance(written);
    }

    /// <summary>The text of a JSON string given with its quotes; null if the value is no string.</summary>
    public static string? ReadString(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value[0] != '"')
            return null;
        var text = value[1..^1];
        return text.Contains((byte)'\\') ? ReadEscaped(value) : Encoding.UTF8.GetString(text);
    }

    /// <summary>The text of a key given without its quotes.</summary>
    public static string ReadName(ReadOnlySpan<byte> name) =>
        name.Contains((byte)'\\') ? ReadEscaped([(byte)'"', .. name, (byte)'"'])! : Encoding.UTF8.GetString(name);

    /// <summary>An integer literal; null for any other value.</summary>
    public static long? ReadInteger(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out long number, out var read) && read == value.Length ? number : null;

    /// <summary>Compares the texts of two strings whose canonical form has escapes.</summary>
    public static int CompareEscaped(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var (i, j) = (0, 0);
        while (i < left.Length && j < right.Length)
        {
            var order = NextByte(left, ref i).CompareTo(NextByte(right, ref j));
            if (order != 0)
                return order;
        }
        return (left.Length - i).CompareTo(right.Length - j);
    }

    static byte NextByte(ReadOnlySpan<byte> text, ref int position)
    {
        var value = text[position++];
        if (value != '\\')
            return value;
        var escape = text[position++];
        if (escape != 'u')
            return escape switch { (byte)'b' => 8, (byte)'t' => 9, (byte)'n' => 10, (byte)'f' => 12, (byte)'r' => 13, _ => escape };
        position += 4;
        return Convert.FromHexString(text.Slice(position - 2, 2))[0];
    }

    static string? ReadEscaped(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value);
        reader.Read();
        return reader.GetString();
    }
}
