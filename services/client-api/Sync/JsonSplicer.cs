using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Writes JSON of which most is already encoded: punctuation and pieces go in as bytes, nothing is parsed or validated again.
/// The caller is responsible for what it splices.
/// </summary>
readonly struct JsonSplicer(ArrayBufferWriter<byte> output)
{
    public int Length => output.WrittenCount;

    public void Raw(ReadOnlySpan<byte> json) => output.Write(json);

    public void String(string text)
    {
        Raw("\""u8);
        Raw(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        Raw("\""u8);
    }

    public void Number(long value)
    {
        var span = output.GetSpan(20);
        System.Buffers.Text.Utf8Formatter.TryFormat(value, span, out var written);
        output.Advance(written);
    }

    public void Boolean(bool value) => Raw(value ? "true"u8 : "false"u8);

    /// <summary>Writes a comma, except before the first of a list.</summary>
    public void Comma(ref bool first)
    {
        if (!first)
            Raw(","u8);
        first = false;
    }

    /// <summary>Begins the next member of an object: a comma, except before the first, and the member's name.</summary>
    public void Name(ref bool first, string name)
    {
        Comma(ref first);
        String(name);
        Raw(":"u8);
    }

    /// <summary>Writes a list of strings.</summary>
    public void Strings(IEnumerable<string> texts)
    {
        Raw("["u8);
        var first = true;
        foreach (var text in texts)
        {
            Comma(ref first);
            String(text);
        }
        Raw("]"u8);
    }
}
