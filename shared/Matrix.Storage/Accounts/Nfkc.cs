using System.Globalization;
using System.Reflection;
using System.Text;

namespace Matrix.Storage;

/// <summary>
/// Unicode normalisation form KC (Unicode Standard Annex 15). We run without the machine's ICU, and then
/// <see cref="string.Normalize()"/> returns what it is given; passwords must hash alike on every machine.
/// </summary>
static class Nfkc
{
    const int SBase = 0xAC00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7, VCount = 21, TCount = 28, SCount = 11172, LCount = 19;

    static readonly Lazy<Tables> Data = new(Read);

    public static string Normalize(string text)
    {
        if (Ascii.IsValid(text)) return text;
        var runes = Decompose(text);
        Order(runes);
        Compose(runes);
        var result = new StringBuilder(text.Length);
        foreach (var rune in runes) result.Append(char.ConvertFromUtf32(rune));
        return result.ToString();
    }

    /// <summary>
    /// The text as search compares it: in small letters, compatibility forms made one, without accents, points and vowel marks. Marks that make another
    /// letter stay: the voicing of kana, nukta and virama (combining classes 7 to 9).
    /// </summary>
    public static string Fold(string text)
    {
        if (Ascii.IsValid(text)) return text.ToLowerInvariant();
        var runes = Decompose(text);
        Order(runes);
        runes.RemoveAll(rune => Class(rune) is not (0 or 7 or 8 or 9));
        Compose(runes);
        var result = new StringBuilder(text.Length);
        foreach (var rune in runes)
            result.Append(Rune.IsValid(rune) ? Rune.ToLowerInvariant(new Rune(rune)).ToString() : "\uFFFD");
        return result.Replace('ς', 'σ').ToString();
    }

    static List<int> Decompose(string text)
    {
        var runes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var index = rune.Value - SBase;
            if (index is >= 0 and < SCount)
            {
                runes.Add(LBase + (index / (VCount * TCount)));
                runes.Add(VBase + (index % (VCount * TCount) / TCount));
                if (index % TCount > 0) runes.Add(TBase + (index % TCount));
            }
            else if (Data.Value.Decompositions.TryGetValue(rune.Value, out var parts))
            {
                runes.AddRange(parts);
            }
            else
            {
                runes.Add(rune.Value);
            }
        }

        return runes;
    }

    // canonical ordering: a stable sort of each run of combining marks by their class
    static void Order(List<int> runes)
    {
        for (var i = 1; i < runes.Count; i++)
        {
            var (rune, order) = (runes[i], Class(runes[i]));
            var to = i;
            for (; order > 0 && to > 0 && Class(runes[to - 1]) > order; to--) runes[to] = runes[to - 1];
            runes[to] = rune;
        }
    }

    static void Compose(List<int> runes)
    {
        var (starter, last, length) = (-1, 0, 0);
        foreach (var rune in runes.ToArray())
        {
            var order = Class(rune);
            var blocked = starter >= 0 && length - 1 > starter && last >= order;
            if (starter >= 0 && !blocked && Pair(runes[starter], rune) is { } composite)
            {
                runes[starter] = composite;
                continue;
            }

            if (order == 0) starter = length;
            last = order;
            runes[length++] = rune;
        }

        runes.RemoveRange(length, runes.Count - length);
    }

    static int? Pair(int first, int second)
    {
        if (first - LBase is >= 0 and < LCount && second - VBase is >= 0 and < VCount)
            return SBase + ((((first - LBase) * VCount) + second - VBase) * TCount);
        if (first - SBase is >= 0 and < SCount && (first - SBase) % TCount == 0 && second - TBase is > 0 and < TCount)
            return first + second - TBase;
        return Data.Value.Composites.TryGetValue((first, second), out var composite) ? composite : null;
    }

    static int Class(int rune) => Data.Value.Classes.GetValueOrDefault(rune);

    static Tables Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(typeof(Nfkc), "Accounts.nfkc.txt")!;
        using var reader = new StreamReader(stream);
        var tables = new Tables([], [], []);
        while (reader.ReadLine() is { } line)
        {
            var fields = line.Split(' ');
            switch (fields[0])
            {
                case "D":
                    tables.Decompositions.Add(Hex(fields[1]), [.. fields[2..].Select(Hex)]);
                    break;
                case "C":
                    for (var rune = Hex(fields[1]); rune <= Hex(fields[2]); rune++)
                        tables.Classes.Add(rune, byte.Parse(fields[3], CultureInfo.InvariantCulture));
                    break;
                case "P":
                    tables.Composites.Add((Hex(fields[1]), Hex(fields[2])), Hex(fields[3]));
                    break;
            }
        }

        return tables;
    }

    static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    sealed record Tables(Dictionary<int, int[]> Decompositions, Dictionary<int, byte> Classes, Dictionary<(int First, int Second), int> Composites);
}
