using System.Globalization;
using Microsoft.Extensions.Configuration;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Matrix.Hosting.Configuration;

/// <summary>
/// Reads homeserver.yaml into configuration keys: <c>database: {args: {host: x}}</c> is <c>database:args:host</c>,
/// and a list's items have their index as key. A file that is missing or is not YAML stops the start with its name and line.
/// </summary>
public sealed class YamlConfigurationSource(string path) : IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => new YamlConfigurationProvider(path);
}

sealed class YamlConfigurationProvider(string path) : ConfigurationProvider
{
    public override void Load()
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([new ConfigurationMistake(path, "the configuration file cannot be read: " + e.Message)]);
        }

        Data = Parse(text, path);
    }

    internal static Dictionary<string, string?> Parse(string text, string path)
    {
        var data = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            if (yaml.Documents.Count == 0) return data;
            if (yaml.Documents[0].RootNode is YamlMappingNode root) Flatten(data, root, prefix: null);
            else if (yaml.Documents[0].RootNode is not YamlScalarNode { Value: null or "" })
                throw new ConfigurationException([new ConfigurationMistake(path, "the file must be a list of keys and values")]);
        }
        catch (YamlException e)
        {
            throw new ConfigurationException(
                [new ConfigurationMistake(string.Create(CultureInfo.InvariantCulture, $"{path}:{e.Start.Line}"), "not YAML: " + e.Message)]);
        }

        return data;
    }

    static void Flatten(Dictionary<string, string?> data, YamlNode node, string? prefix)
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
