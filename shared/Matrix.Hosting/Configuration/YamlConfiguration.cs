using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Matrix.Hosting.Configuration;

/// <summary>
/// Reads homeserver.yaml into configuration keys: <c>database: {args: {host: x}}</c> is <c>database:args:host</c>,
/// and a list's items have their index as key. A file that is missing or is not YAML is a mistake like any other, reported with them.
/// </summary>
public sealed class YamlConfigurationSource(string path) : IConfigurationSource
{
    readonly List<ConfigurationMistake> _mistakes = [];

    public IReadOnlyList<ConfigurationMistake> Mistakes => _mistakes;

    public IConfigurationProvider Build(IConfigurationBuilder builder) => new YamlConfigurationProvider(path, _mistakes);
}

sealed class YamlConfigurationProvider(string path, List<ConfigurationMistake> mistakes) : ConfigurationProvider
{
    /// <summary>What was asked for, found or not.</summary>
    public ConcurrentDictionary<string, bool> Asked { get; } = new(StringComparer.OrdinalIgnoreCase);

    public IEnumerable<string> Keys => Data.Keys;

    public override bool TryGet(string key, out string? value)
    {
        Asked.TryAdd(key, true);
        return base.TryGet(key, out value);
    }

    public override void Load()
    {
        mistakes.Clear();
        Data = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        try
        {
            Parse(File.ReadAllText(path));
        }
        catch (YamlException e)
        {
            mistakes.Add(new ConfigurationMistake(string.Create(CultureInfo.InvariantCulture, $"{path}:{e.Start.Line}"), "not YAML: " + e.Message));
        }
        catch (InvalidOperationException)
        {
            mistakes.Add(new ConfigurationMistake(path, "not YAML")); // what the parser throws at some unclosed brackets
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            mistakes.Add(new ConfigurationMistake(path, "cannot be read: " + e.Message));
        }
    }

    void Parse(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        if (yaml.Documents.Count == 0) return;
        if (yaml.Documents[0].RootNode is YamlMappingNode root) Flatten(Data, root, prefix: null);
        else if (yaml.Documents[0].RootNode is not YamlScalarNode { Value: null or "" })
            mistakes.Add(new ConfigurationMistake(path, "must be a list of keys and values"));
    }

    static void Flatten(IDictionary<string, string?> data, YamlNode node, string? prefix)
    {
        switch (node)
        {
            case YamlMappingNode map:
                foreach (var (key, value) in map.Children) Flatten(data, value, Join(prefix, ((YamlScalarNode)key).Value ?? ""));
                break;
            case YamlSequenceNode { Children.Count: 0 }:
                data[prefix!] = ""; // so that an empty list is told apart from a key left out
                break;
            case YamlSequenceNode list:
                for (var i = 0; i < list.Children.Count; i++) Flatten(data, list.Children[i], Join(prefix, i.ToString(CultureInfo.InvariantCulture)));
                break;
            case YamlScalarNode scalar:
                data[prefix!] = IsNull(scalar) ? null : scalar.Value;
                break;
        }
    }

    static bool IsNull(YamlScalarNode scalar) => scalar.Style == ScalarStyle.Plain && scalar.Value is null or "" or "~" or "null";

    static string Join(string? prefix, string key) => prefix is null ? key : prefix + ConfigurationPath.KeyDelimiter + key;
}
