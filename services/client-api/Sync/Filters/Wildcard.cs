namespace Matrix.ClientApi.Sync.Filters;

/// <summary>Patterns in which <c>*</c> stands for any sequence of characters, and nothing else is special.</summary>
static class Wildcard
{
    /// <summary>Takes time in proportion to pattern × text at worst, whatever a client sends.</summary>
    public static bool Match(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int p = 0, t = 0, star = -1, retry = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
                (star, retry) = (p++, t);
            else if (p < pattern.Length && pattern[p] == text[t])
                (p, t) = (p + 1, t + 1);
            else if (star >= 0)
                (p, t) = (star + 1, ++retry);
            else
                return false;
        }
        return pattern[p..].Trim('*').IsEmpty;
    }
}
