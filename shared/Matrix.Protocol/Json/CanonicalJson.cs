namespace Matrix.Protocol;

/// <summary>
/// Canonical JSON (Appendices, Canonical JSON): the shortest UTF-8 form, keys sorted by code point. One pass, without a DOM.
/// </summary>
public static class CanonicalJson
{
    /// <summary>How deep objects and arrays may nest; the same as System.Text.Json's default, so that all readers agree.</summary>
    public const int MaxDepth = 64;

    /// <summary>The canonical form of a JSON text.</summary>
    /// <param name="utf8">One JSON value.</param>
    /// <param name="rules">
    /// Strict refuses what has no canonical form: numbers that are not integers in ±(2^53−1), exponents, -0, duplicate keys.
    /// Relaxed turns -0 and exponents into integers where it can, leaves other numbers as they are written, and keeps the last of duplicate keys.
    /// </param>
    /// <exception cref="InvalidJsonException">Not JSON, nested deeper than <see cref="MaxDepth"/>, or against the rules.</exception>
    public static byte[] Canonicalize(ReadOnlySpan<byte> utf8, JsonRules rules = JsonRules.Strict)
    {
        var canonicalizer = new Canonicalizer(utf8, rules);
        try
        {
            return canonicalizer.Run();
        }
        finally
        {
            canonicalizer.Dispose();
        }
    }
}
