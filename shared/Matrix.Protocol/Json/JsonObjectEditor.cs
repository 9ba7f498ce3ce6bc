using System.Buffers;

namespace Matrix.Protocol;

/// <summary>Copies of canonical objects with members left out or put in, still canonical.</summary>
static class JsonObjectEditor
{
    /// <summary>The object with this member set; <paramref name="name"/> must need no escape.</summary>
    public static byte[] With(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var output = new ArrayBufferWriter<byte>(json.Length + name.Length + value.Length + 4);
        var (first, placed) = (true, false);
        output.Write("{"u8);
        var reader = new JsonObjectReader(json);
        while (reader.MoveNext())
        {
            var order = placed ? -1 : JsonText.CompareEscaped(reader.Name, name);
            if (order >= 0)
            {
                WriteMember(output, name, value, ref first);
                placed = true;
            }
            if (order != 0)
                WriteRaw(output, reader.Member, ref first);
        }
        if (!placed)
            WriteMember(output, name, value, ref first);
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The object without these members.</summary>
    public static byte[] Without(ReadOnlySpan<byte> json, params ReadOnlySpan<string> names)
    {
        var output = new ArrayBufferWriter<byte>(json.Length);
        var first = true;
        output.Write("{"u8);
        var reader = new JsonObjectReader(json);
        while (reader.MoveNext())
            if (!IsOneOf(reader.Name, names))
                WriteRaw(output, reader.Member, ref first);
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    public static void WriteRaw(IBufferWriter<byte> output, ReadOnlySpan<byte> member, ref bool first)
    {
        if (!first)
            output.Write(","u8);
        first = false;
        output.Write(member);
    }

    static void WriteMember(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref bool first)
    {
        WriteRaw(output, "\""u8, ref first);
        output.Write(name);
        output.Write("\":"u8);
        output.Write(value);
    }

    static bool IsOneOf(ReadOnlySpan<byte> name, ReadOnlySpan<string> names)
    {
        foreach (var candidate in names)
            if (System.Text.Ascii.Equals(name, candidate))
                return true;
        return false;
    }
}
