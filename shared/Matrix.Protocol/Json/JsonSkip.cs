using System.Buffers;

namespace Matrix.Protocol;

/// <summary>Finds the end of a value in canonical JSON. Trusts its input.</summary>
static class JsonSkip
{
    static readonly SearchValues<byte> Structure = SearchValues.Create("\"[]{}"u8);

    /// <summary>Where the value that starts here ends.</summary>
    public static int Value(ReadOnlySpan<byte> json, int start) => json[start] switch
    {
        (byte)'"' => String(json, start),
        (byte)'{' or (byte)'[' => Nested(json, start),
        _ => json[start..].IndexOfAny((byte)',', (byte)'}', (byte)']') is >= 0 and var length ? start + length : json.Length,
    };

    /// <summary>Where the string that starts here ends, its quotes included.</summary>
    public static int String(ReadOnlySpan<byte> json, int start)
    {
        var position = start + 1;
        while (true)
        {
            position += json[position..].IndexOfAny((byte)'"', (byte)'\\');
            if (json[position++] == '"')
                return position;
            position++;
        }
    }

    static int Nested(ReadOnlySpan<byte> json, int start)
    {
        var (position, depth) = (start, 0);
        do
        {
            position += json[position..].IndexOfAny(Structure);
            if (json[position] == '"')
            {
                position = String(json, position);
                continue;
            }
            depth += json[position++] is (byte)'{' or (byte)'[' ? 1 : -1;
        }
        while (depth > 0);
        return position;
    }
}
