using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Matrix.Chart.Tests;

/// <summary>The chart as helm renders it with the values of a case.</summary>
static partial class Chart
{
    /// <summary>The files in Cases/, without their ending.</summary>
    public static IReadOnlyList<string> CaseNames { get; } =
        [.. Directory.GetFiles(Path.Combine(Repository.Tests, "Cases"), "*.yaml").Select(Path.GetFileNameWithoutExtension).OfType<string>().Order()];

    public static string CaseFile(string name) => Path.Combine(Repository.Tests, "Cases", name + ".yaml");

    public static async Task<string> Render(string name, params string[] more)
    {
        var rendered = await ChartTools.Helm(["template", "demo", Repository.Chart, "--namespace", "chat", "--values", CaseFile(name), .. more]);
        Assert.True(rendered.ExitCode == 0, rendered.Error);
        return rendered.Output;
    }

    /// <summary>What is drawn by lot at each rendering, made the same; and what only repeats other files, left out.</summary>
    public static string Settle(string manifests) =>
        RepeatedFile().Replace(RandomData().Replace(manifests, "$1 (random)"), "$1 (the file)\n");

    public static IReadOnlyList<YamlMappingNode> Objects(string manifests)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(manifests));
        return [.. yaml.Documents.Select(document => document.RootNode).OfType<YamlMappingNode>()];
    }

    public static string Text(this YamlNode node, params string[] path) => ((YamlScalarNode)node.At(path)!).Value!;

    public static YamlNode? At(this YamlNode node, params string[] path) =>
        path.Aggregate((YamlNode?)node, (at, key) => at is YamlMappingNode map && map.Children.TryGetValue(key, out var value) ? value : null);

    [GeneratedRegex(@"(?m)^(  (?:signing\.key|registration-shared-secret|form-secret|(?:postgres|rabbitmq|redis)-password|s3-access-key-id|s3-secret-access-key):) [A-Za-z0-9+/=]+$")]
    private static partial Regex RandomData();

    [GeneratedRegex(@"(?m)^(  [a-z-]+\.json: \|)\n(?:    .*\n|\n)+")]
    private static partial Regex RepeatedFile();
}
