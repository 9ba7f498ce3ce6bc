using System.Buffers;
using System.Text;

namespace Matrix.Protocol;

/// <summary>Which edges of a match must be word boundaries.</summary>
[Flags]
enum GlobEdges
{
    Start = 1,
    End = 2,
}

/// <summary>A piece of a glob without stars: characters, and question marks that each stand for any one.</summary>
sealed class GlobPart
{
    const int WordBits = 64;

    readonly string _text;
    readonly bool _hasWildcards;

    /// <summary>
    /// For a piece with question marks: which of its places take a character, a bit for each place. A search keeps the places reached so far
    /// in such bits and moves them all on at once (Baeza-Yates and Gonnet's Shift-And).
    /// </summary>
    readonly Dictionary<Rune, ulong[]> _takes = [];
    readonly ulong[] _takesAny = [];
    readonly int _length;

    public GlobPart(string text, bool hasWildcards)
    {
        (_text, _hasWildcards) = (text, hasWildcards);
        if (!hasWildcards)
            return;
        Rune[] runes = [.. text.EnumerateRunes()];
        _length = runes.Length;
        _takesAny = new ulong[(_length + WordBits - 1) / WordBits];
        for (var place = 0; place < runes.Length; place++)
            if (runes[place].Value == '?')
                _takesAny[place / WordBits] |= 1UL << place % WordBits;
        for (var place = 0; place < runes.Length; place++)
        {
            if (runes[place].Value == '?')
                continue;
            if (!_takes.TryGetValue(runes[place], out var bits))
                _takes[runes[place]] = bits = [.. _takesAny];
            bits[place / WordBits] |= 1UL << place % WordBits;
        }
    }

    /// <summary>Where the match that begins here ends; -1 if there is none.</summary>
    public int MatchAt(string text, int start)
    {
        if (!_hasWildcards)
            return text.AsSpan(start).StartsWith(_text, StringComparison.Ordinal) ? start + _text.Length : -1;
        var position = start;
        foreach (var expected in _text.EnumerateRunes())
        {
            if (position >= text.Length)
                return -1;
            Rune.DecodeFromUtf16(text.AsSpan(position), out var rune, out var width);
            if (expected.Value != '?' && expected != rune)
                return -1;
            position += width;
        }
        return position;
    }

    /// <summary>Where a match would have to begin to end with the text; -1 if the text is too short.</summary>
    public int StartBeforeEnd(string text)
    {
        if (!_hasWildcards)
            return text.Length - _text.Length;
        var position = text.Length;
        for (var left = _length; left > 0 && position > 0; left--)
        {
            Rune.DecodeLastFromUtf16(text.AsSpan(0, position), out _, out var width);
            position -= width;
            if (left == 1)
                return position;
        }
        return -1;
    }

    /// <summary>Where the first match at or after this place ends whose edges are right; -1 if there is none.</summary>
    public int Find(string text, int from, GlobEdges edges) =>
        _hasWildcards ? FindByBits(text, from, edges) : FindLiteral(text, from, edges);

    int FindLiteral(string text, int from, GlobEdges edges)
    {
        for (; from <= text.Length - _text.Length; from++)
        {
            from = text.IndexOf(_text, from, StringComparison.Ordinal);
            if (from < 0)
                return -1;
            if (IsAllowed(text, from, edges & GlobEdges.Start) && IsAllowed(text, from + _text.Length, edges & GlobEdges.End))
                return from + _text.Length;
        }
        return -1;
    }

    int FindByBits(string text, int from, GlobEdges edges)
    {
        var reached = ArrayPool<ulong>.Shared.Rent(_takesAny.Length);
        try
        {
            reached.AsSpan(0, _takesAny.Length).Clear();
            for (var position = from; position < text.Length;)
            {
                var mayStart = IsAllowed(text, position, edges & GlobEdges.Start);
                Rune.DecodeFromUtf16(text.AsSpan(position), out var rune, out var width);
                position += width;
                if (Advance(reached, mayStart, _takes.GetValueOrDefault(rune, _takesAny)) && IsAllowed(text, position, edges & GlobEdges.End))
                    return position;
            }
            return -1;
        }
        finally
        {
            ArrayPool<ulong>.Shared.Return(reached);
        }
    }

    /// <summary>Moves all places on by one character; true if one came to the end.</summary>
    bool Advance(ulong[] reached, bool mayStart, ulong[] takes)
    {
        var carry = mayStart ? 1UL : 0;
        for (var i = 0; i < takes.Length; i++)
        {
            var next = (reached[i] << 1 | carry) & takes[i];
            carry = reached[i] >> WordBits - 1;
            reached[i] = next;
        }
        return (reached[(_length - 1) / WordBits] >> (_length - 1) % WordBits & 1) != 0;
    }

    /// <summary>May an edge be here: is none wanted, or is it at an end of the text or beside a character that belongs to no word?</summary>
    static bool IsAllowed(string text, int position, GlobEdges wanted) => wanted switch
    {
        GlobEdges.Start => position == 0 || (!IsWord(text[position - 1]) && !IsInsideCharacter(text, position)),
        GlobEdges.End => position == text.Length || (!IsWord(text[position]) && !IsInsideCharacter(text, position)),
        _ => true,
    };

    static bool IsInsideCharacter(string text, int position) =>
        position > 0 && position < text.Length && char.IsSurrogatePair(text[position - 1], text[position]);

    static bool IsWord(char character) => char.IsAsciiLetterOrDigit(character) || character == '_';
}
