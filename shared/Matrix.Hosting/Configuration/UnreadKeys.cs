using Microsoft.Extensions.Configuration;

namespace Matrix.Hosting.Configuration;

/// <summary>
/// Keys of homeserver.yaml that nobody in this process has asked for: another service's, another homeserver's, or a mistake. A start ignores them; <c>--check-config</c> prints
/// them, and <c>matrixctl config check</c> tells those that no service has asked for.
/// </summary>
public static class UnreadKeys
{
    /// <summary>Before each line of <c>--check-config</c> that names one: the key, a tab, and the one that may have been meant.</summary>
    public const string Mark = "  ? ";

    /// <summary>To be asked after the whole configuration was checked, when every options class has been read.</summary>
    internal static void Print(IConfiguration configuration)
    {
        foreach (var (key, like) in Find((IConfigurationRoot)configuration)) Console.Out.WriteLine($"{Mark}{key}\t{like}");
    }

    // which other homeservers want to have, and ours writes into what it generates, so that a file fits both
    static readonly string[] s_knownToOthers = ["report_stats", "form_secret"];

    internal static IReadOnlyList<(string Key, string? Like)> Find(IConfigurationRoot configuration)
    {
        var found = new List<(string, string?)>();
        foreach (var file in configuration.Providers.OfType<YamlConfigurationProvider>())
        {
            // the environment's value is asked for first, and then not the file's
            var unread = file.Keys.Where(key => !file.Asked.ContainsKey(key) && !s_knownToOthers.Contains(key) && !configuration.Providers.Any(other => other != file && other.TryGet(key, out _)));
            found.AddRange(unread.Select(key => (Written(key), Like(key, file.Asked.Keys) is { } like ? Written(like) : null)));
        }
        return found;
    }

    static string Written(string key) => key.Replace(ConfigurationPath.KeyDelimiter, ".", StringComparison.Ordinal);

    // of the same depth, sections included
    static string? Like(string key, IEnumerable<string> asked)
    {
        var depth = key.Split(ConfigurationPath.KeyDelimiter).Length;
        return asked.Select(other => string.Join(ConfigurationPath.KeyDelimiter, other.Split(ConfigurationPath.KeyDelimiter).Take(depth)))
            .Where(other => Math.Abs(other.Length - key.Length) <= 2).Distinct()
            .Select(other => (Key: other, Distance: Distance(other, key))).Where(other => other.Distance is 1 or 2 && other.Distance < key.Length / 3)
            .OrderBy(other => other.Distance).ThenBy(other => other.Key, StringComparer.Ordinal).Select(other => other.Key).FirstOrDefault();
    }

    /// <summary>How many letters have to be changed, put in or taken out (Levenshtein).</summary>
    static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var (corner, _) = (row[0], row[0] = i);
            for (var j = 1; j <= b.Length; j++)
            {
                var here = Math.Min(Math.Min(row[j], row[j - 1]) + 1, corner + (a[i - 1] == b[j - 1] ? 0 : 1));
                (corner, row[j]) = (row[j], here);
            }
        }
        return row[^1];
    }
}
