using System.Buffers.Text;

namespace Matrix.Protocol;

/// <summary>Base64 without padding (Appendices, Unpadded Base64).</summary>
public static class UnpaddedBase64
{
    /// <summary>The standard alphabet, without padding.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>The URL-safe alphabet, without padding.</summary>
    public static string EncodeUrlSafe(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    /// <summary>Reads the standard alphabet with or without padding; null if the text is something else.</summary>
    public static byte[]? Decode(string text)
    {
        var padded = text.TrimEnd('=') is var bare && bare.Length % 4 == 0 ? bare : bare.PadRight((bare.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length / 4 * 3];
        return Convert.TryFromBase64String(padded, bytes, out var written) ? bytes[..written] : null;
    }
}
