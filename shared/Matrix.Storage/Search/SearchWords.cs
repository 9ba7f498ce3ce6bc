using System.Globalization;
using System.Text;

namespace Matrix.Storage.Search;

/// <summary>A word of a text; one that continues the one before it stands right behind it.</summary>
readonly record struct SearchWord(string Text, bool Continues);

/// <summary>
/// The words that texts are found by, in any language: letters and digits that stand together, folded (no case, no accents). Scripts that are written
/// without spaces (Chinese, Japanese, Thai, …) give every pair of neighbours, so that what is looked for is found wherever it stands.
/// </summary>
public static class SearchWords
{
    const int LongestWord = 60;
    const int MostWords = 4000;
    const int MostTerms = 20;
    const int LastPosition = 16_383; // what a tsvector can say

    /// <summary>A tsvector of the texts, with marks that are found as they are.</summary>
    public static string ToVector(IEnumerable<string?> texts, params ReadOnlySpan<string> marks)
    {
        var vector = new StringBuilder();
        var position = 0;
        foreach (var text in texts)
        {
            foreach (var word in Split(text ?? "").Take(MostWords))
            {
                position = Math.Min(position + 1, LastPosition);
                vector.Append(CultureInfo.InvariantCulture, $"'{word.Text}':{position} ");
            }
            position = Math.Min(position + 10, LastPosition); // no phrase reaches from one text into the next
        }
        foreach (var mark in marks)
            vector.Append(CultureInfo.InvariantCulture, $"'{mark}' ");
        return vector.ToString();
    }

    /// <summary>A tsquery for texts with all words of a query; a word is found by its beginning. Null: there is nothing to look for.</summary>
    public static string? ToQuery(string text)
    {
        var terms = new List<string>();
        var phrase = new List<string>();
        foreach (var word in Split(text))
        {
            if (!word.Continues)
                Flush(terms, phrase);
            phrase.Add(word.Text);
        }
        Flush(terms, phrase);
        return terms.Count == 0 ? null : string.Join(" & ", terms.Take(MostTerms));
    }

    /// <summary>The words of a query as they may be highlighted in what was found.</summary>
    public static IReadOnlyList<string> Highlights(string text) =>
        [.. Runs(Nfkc.Fold(text)).Select(run => run.Text).Distinct(StringComparer.Ordinal).Take(MostTerms)];

    // The last character of a run also stands alone: a query of one character is found by its beginning. A query that is a longer run is a phrase of pairs.
    static void Flush(List<string> terms, List<string> phrase)
    {
        if (phrase.Count > 1)
            terms.Add("(" + string.Join(" <-> ", phrase[..^1].Select(word => $"'{word}'")) + ")");
        else if (phrase.Count == 1)
            terms.Add($"'{phrase[0]}':*");
        phrase.Clear();
    }

    static IEnumerable<SearchWord> Split(string text)
    {
        foreach (var (run, unspaced) in Runs(Nfkc.Fold(text)))
        {
            if (!unspaced)
            {
                yield return new SearchWord(run.Length > LongestWord ? run[..LongestWord] : run, false);
                continue;
            }
            var runes = run.EnumerateRunes().ToArray();
            for (var i = 0; i < runes.Length; i++)
                yield return new SearchWord(i + 1 < runes.Length ? $"{runes[i]}{runes[i + 1]}" : runes[i].ToString(), i > 0);
        }
    }

    /// <summary>Stretches of letters and digits of one kind of writing.</summary>
    static IEnumerable<(string Text, bool Unspaced)> Runs(string folded)
    {
        var run = new StringBuilder();
        var unspaced = false;
        foreach (var rune in folded.EnumerateRunes())
        {
            var isWord = Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
            var isUnspaced = isWord && IsUnspaced(rune.Value);
            if (run.Length > 0 && (!isWord || isUnspaced != unspaced))
            {
                yield return (run.ToString(), unspaced);
                run.Clear();
            }
            unspaced = isUnspaced;
            if (isWord)
                run.Append(rune.ToString());
        }
        if (run.Length > 0)
            yield return (run.ToString(), unspaced);
    }

    // Thai to Myanmar, Khmer, kana, the ideographs and their extensions. Hangul has spaces.
    static bool IsUnspaced(int rune) => rune is (>= 0x0E00 and <= 0x0EFF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17FF)
        or (>= 0x3005 and <= 0x3007) or (>= 0x3041 and <= 0x30FF) or (>= 0x31F0 and <= 0x31FF) or (>= 0x3400 and <= 0x9FFF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF);
}
