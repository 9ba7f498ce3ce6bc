using Matrix.Hosting.Configuration;
using Matrix.Storage;
using Microsoft.Extensions.Configuration;

namespace Matrix.Architecture.Tests;

/// <summary>Operators have a page of all keys of homeserver.yaml, and it is true.</summary>
public sealed class ConfigurationTests
{
    static readonly Lazy<IReadOnlyDictionary<string, HashSet<string>>> s_asked = new(() => ConfigurationReaders.Listen(Items()));

    // what another key's comment says
    static readonly string[] s_fallbacks = ["http_proxy"];

    [Fact]
    public void Every_option_says_what_it_is_for() =>
        Repository.AssertNone(ConfigurationKeys.All.Concat(ConfigurationKeys.OfRates).Where(key => !key.IsSection && key.Meaning.Length == 0)
            .Select(key => $"{key.OptionsClass}: {key.Name} has no doc comment, which {ConfigurationReference.Path} is made of"));

    [Fact]
    public void The_reference_of_the_configuration_is_whole() =>
        Repository.AssertUpToDate(ConfigurationReference.Path, ConfigurationReference.Create(ConfigurationKeys.All, Readers));

    [Fact]
    public void Every_options_class_has_its_place_in_the_reference() =>
        Repository.AssertNone(ConfigurationKeys.All.Where(key => !ConfigurationReference.IsPlaced(key)).Select(key => key.OptionsClass).Distinct());

    [Fact]
    public void Every_key_of_the_reference_is_read() =>
        Repository.AssertNone(ConfigurationKeys.All.Where(key => !key.IsSection && Readers(key).Count == 0).Select(key => key.Name));

    [Fact]
    public void Every_key_that_is_read_is_in_the_reference()
    {
        var known = ConfigurationKeys.All.Select(Path).ToList();
        Repository.AssertNone(
            from asked in s_asked.Value
            from key in asked.Value.Except(s_fallbacks) // the framework's own have capital letters
            where !key.Split(':')[0].Any(char.IsAsciiLetterUpper) && !known.Any(path => key == path || IsBelow(key, path) || IsBelow(path, key))
            select $"{key} is read by {asked.Key}: by hand, or by a class that {nameof(ConfigurationKeys)} does not know");
    }

    [Fact]
    public void Two_classes_that_read_a_key_agree_on_its_default() =>
        Repository.AssertNone(ConfigurationKeys.All.Where(key => key.Default.Length > 0).GroupBy(key => key.Name)
            .Where(same => same.Select(key => key.Default).Distinct().Count() > 1)
            .Select(same => $"{same.Key}: {string.Join("; ", same.Select(key => $"{key.Default} in {key.OptionsClass}"))}"));

    [Theory, InlineData("true"), InlineData("Yes"), InlineData("on"), InlineData("1"), InlineData("false"), InlineData("no"), InlineData("OFF"), InlineData("0"), InlineData("y"), InlineData("")]
    public void The_two_readers_of_flags_which_cannot_share_code_take_the_same_words(string text)
    {
        var section = new OptionsSection<SchemaOptions>(new ConfigurationBuilder().AddInMemoryCollection([new("auto_migrate", text)]).Build(), null);
        Assert.Equal(section.Mistakes.Count > 0 ? null : section.Value.AutoMigrate, ConfiguredFlag.Parse(text));
    }

    static IReadOnlyList<string> Readers(ConfigurationKey key) =>
        [.. s_asked.Value.Where(asked => asked.Value.Any(path => path == Path(key) || IsBelow(path, Path(key)))).Select(asked => asked.Key)];

    static bool IsBelow(string path, string of) => path.StartsWith(of + ":", StringComparison.Ordinal);

    static string Path(ConfigurationKey key) => key.Name.Replace("[]", ":0", StringComparison.Ordinal).Replace("<name>", "a:b", StringComparison.Ordinal).Replace('.', ':');

    /// <summary>An item in each list of sections, and a section in each map: else nobody asks for what is in them.</summary>
    static Dictionary<string, string?> Items() =>
        ConfigurationKeys.All.Where(key => key.Name.Contains("[]", StringComparison.Ordinal) || key.Name.Contains("<name>", StringComparison.Ordinal))
            .DistinctBy(Path).Where(key => !key.IsSection)
            .ToDictionary(Path, key => key.Value.StartsWith("true", StringComparison.Ordinal) ? "true" : (string?)"1");
}
