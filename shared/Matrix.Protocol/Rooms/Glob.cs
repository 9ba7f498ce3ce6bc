using System.Buffers;

namespace Matrix.Protocol;

/// <summary>
/// A pattern of <c>*</c> (any characters) and <c>?</c> (one character) (Appendices, Glob-style matching). Time grows with the text, and with the
/// pattern by a 64th of its length at worst, whatever the pattern.
/// </summary>
public sealed class Glob
{
    static readonly SearchValues<char> Wildcards = SearchValues.Create("*?");

    readonly bool _ignoreCase;

    /// <summary>What stands between the stars. A match that begins and ends as early as it can leaves the most for what follows it.</summary>
    readonly GlobPart[] _parts;

    /// <param name="pattern">The pattern.</param>
    /// <param name="ignoreCase">Are letters the same in either case?</param>
    public Glob(string pattern, bool ignoreCase = false) : this(pattern, ignoreCase, !pattern.AsSpan().ContainsAny(Wildcards))
    {
    }

    Glob(string pattern, bool ignoreCase, bool isLiteral)
    {
        var text = ignoreCase ? pattern.ToLowerInvariant() : pattern;
        _ignoreCase = ignoreCase;
        _parts = isLiteral ? [new GlobPart(text, hasWildcards: false)] : [.. text.Split('*').Select(part => new GlobPart(part, part.Contains('?')))];
    }

    /// <summary>Matches just this text; stars and question marks stand for themselves.</summary>
    public static Glob Literal(string text, bool ignoreCase = false) => new(text, ignoreCase, isLiteral: true);

    /// <summary>Does the whole text match?</summary>
    public bool Matches(string text) => MatchesPrepared(Prepare(text));

    /// <summary>
    /// Does a part of the text match that starts and ends at word boundaries: at the ends of the text, or beside a character other than
    /// <c>A-Z a-z 0-9 _</c> (C-S API, Push Rules)?
    /// </summary>
    public bool MatchesWords(string text) => MatchesWordsPrepared(Prepare(text));

    /// <summary>The text as <see cref="MatchesPrepared"/> wants it of a pattern that ignores case.</summary>
    internal static string Lower(string text) => text.ToLowerInvariant();

    internal bool MatchesPrepared(string text)
    {
        var position = _parts[0].MatchAt(text, 0);
        if (_parts.Length == 1 || position < 0)
            return position == text.Length;
        foreach (var part in _parts.AsSpan(1, _parts.Length - 2))
            if ((position = part.Find(text, position, default)) < 0)
                return false;
        return _parts[^1].StartBeforeEnd(text) is var start && start >= position && _parts[^1].MatchAt(text, start) == text.Length;
    }

    internal bool MatchesWordsPrepared(string text)
    {
        if (_parts.Length == 1)
            return _parts[0].Find(text, 0, GlobEdges.Start | GlobEdges.End) >= 0;
        var position = _parts[0].Find(text, 0, GlobEdges.Start);
        foreach (var part in _parts.AsSpan(1, _parts.Length - 2))
            if (position >= 0)
                position = part.Find(text, position, default);
        return position >= 0 && _parts[^1].Find(text, position, GlobEdges.End) >= 0;
    }

    string Prepare(string text) => _ignoreCase ? Lower(text) : text;
}
