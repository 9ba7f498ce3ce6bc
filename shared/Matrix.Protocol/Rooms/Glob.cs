using System.Buffers;

namespace Matrix.Protocol;

/// <summary>
/// A pattern of <c>*</c> (any characters) and <c>?</c> (one character) (Appendices, Glob-style matching). Time grows with pattern times text
/// at worst, whatever the pattern.
/// </summary>
public sealed class Glob
{
    static readonly SearchValues<char> Wildcards = SearchValues.Create("*?");

    readonly string _pattern;
    readonly bool _ignoreCase;
    readonly bool _isLiteral;

    /// <param name="pattern">The pattern.</param>
    public Glob(string pattern, bool ignoreCase = false) : this(pattern, ignoreCase, !pattern.AsSpan().ContainsAny(Wildcards))
    {
    }

    Glob(string pattern, bool ignoreCase, bool isLiteral)
    {
        _pattern = ignoreCase ? pattern.ToLowerInvariant() : pattern;
        _ignoreCase = ignoreCase;
        _isLiteral = isLiteral;
    }

    /// <summary>Matches just this text; stars and question marks stand for themselves.</summary>
    public static Glob Literal(string text, bool ignoreCase = false) => new(text, ignoreCase, isLiteral: true);

    /// <summary>Does the whole text match?</summary>
    public bool Matches(string text)
    {
        if (_isLiteral)
            return text.Equals(_pattern, _ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
        return MatchesAll(_ignoreCase ? text.ToLowerInvariant() : text);
    }

    /// <summary>
    /// Does a part of the text match that starts and ends at word boundaries: at the ends of the text, or beside a character other than
    /// <c>A-Z a-z 0-9 _</c> (C-S API, Push Rules)?
    /// </summary>
    public bool MatchesWords(string text)
    {
        text = _ignoreCase ? text.ToLowerInvariant() : text;
        return _isLiteral ? ContainsWords(text) : SimulatesWords(text);
    }

    /// <summary>Goes on greedily and comes back to the last star, which is enough because stars are alike.</summary>
    bool MatchesAll(string text)
    {
        var (p, t, star, resume) = (0, 0, -1, 0);
        while (t < text.Length)
        {
            if (p < _pattern.Length && _pattern[p] == '*')
                (star, resume, p) = (p, t, p + 1);
            else if (p < _pattern.Length && _pattern[p] == '?')
                (p, t) = (p + 1, t + Width(text, t));
            else if (p < _pattern.Length && _pattern[p] == text[t])
                (p, t) = (p + 1, t + 1);
            else if (star >= 0)
                (p, t) = (star + 1, ++resume);
            else
                return false;
        }
        return _pattern.AsSpan(p).IndexOfAnyExcept('*') < 0;
    }

    bool ContainsWords(string text)
    {
        for (var from = 0; from <= text.Length - _pattern.Length; from++)
        {
            var found = text.IndexOf(_pattern, from, StringComparison.Ordinal);
            if (found < 0)
                return false;
            if (IsBoundary(text, found - 1) && IsBoundary(text, found + _pattern.Length))
                return true;
            from = found;
        }
        return false;
    }

    /// <summary>Keeps the set of all places in the pattern that a match may have come to.</summary>
    bool SimulatesWords(string text)
    {
        var (places, next) = (new bool[_pattern.Length + 1], new bool[_pattern.Length + 1]);
        for (var t = 0; t <= text.Length; t++)
        {
            if (t == 0 || IsBoundary(text, t - 1))
                places[0] = true;
            for (var p = 0; p < _pattern.Length; p++)
                places[p + 1] |= places[p] && _pattern[p] == '*';
            if (places[^1] && IsBoundary(text, t))
                return true;
            if (t == text.Length)
                return false;
            Array.Clear(next);
            Step(text[t], places, next);
            (places, next) = (next, places);
        }
        return false;
    }

    void Step(char character, bool[] places, bool[] next)
    {
        for (var p = 0; p < _pattern.Length; p++)
        {
            if (!places[p])
                continue;
            // The second half of a character outside the basic plane belongs to the question mark before it.
            if (_pattern[p] == '*' || (_pattern[p] == '?' && char.IsHighSurrogate(character)))
                next[p] = true;
            else if (_pattern[p] == '?' || _pattern[p] == character)
                next[p + 1] = true;
        }
    }

    static int Width(string text, int index) => char.IsSurrogatePair(text, index) ? 2 : 1;

    static bool IsBoundary(string text, int index) =>
        index < 0 || index >= text.Length || !(char.IsAsciiLetterOrDigit(text[index]) || text[index] == '_');
}
