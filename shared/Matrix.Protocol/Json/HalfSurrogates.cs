namespace Matrix.Protocol;

/// <summary>
/// Halves of surrogate pairs in JSON's escapes (<c>\ud800</c> alone): no text, though a parser lets them pass until somebody reads them, and fails then.
/// </summary>
public static class HalfSurrogates
{
    /// <summary>
    /// Makes each half U+FFFD, as servers do that sign such JSON at all. An event that has one keeps its id and its signature if it is where a redaction
    /// takes it away, and has a wrong hash; else its signature is wrong. So it is redacted or refused, and nothing beside it is.
    /// </summary>
    /// <param name="json">JSON, or anything; written over.</param>
    public static void Replace(Span<byte> json)
    {
        while (json.IndexOf((byte)'\\') is >= 0 and var escape)
        {
            json = json[(escape + 1)..];
            if (json.IsEmpty)
                return;
            if (JsonEscape.Read(json, out var length) < 0 && json[0] == 'u')
            {
                length = 5;
                if (JsonEscape.IsHalf(json))
                    "ufffd"u8.CopyTo(json);
            }
            json = json[Math.Min(length, json.Length)..];
        }
    }
}
