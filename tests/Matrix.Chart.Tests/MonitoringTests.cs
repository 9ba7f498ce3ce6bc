using System.Text.Json;
using System.Text.RegularExpressions;

namespace Matrix.Chart.Tests;

/// <summary>What dashboards and alerts ask for is what the services measure.</summary>
public sealed partial class MonitoringTests
{
    static IEnumerable<string> Files =>
        Directory.GetFiles(Path.Combine(Repository.Chart, "dashboards"), "*.json").Append(Path.Combine(Repository.Chart, "alerts", "matrix.yaml"));

    [Fact]
    public async Task Every_measure_of_ours_that_is_asked_for_exists()
    {
        var sources = string.Concat(new[] { "shared", "services", "gateway" }.SelectMany(folder => Directory.GetFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText));
        var exported = Instrument().Matches(sources).Select(match => match.Groups[1].Value.Replace('.', '_')).ToHashSet();
        foreach (var file in Files)
        {
            var asked = Asked().Matches(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Select(match => Suffix().Replace(match.Value, "")).Distinct().ToList();
            Assert.NotEmpty(asked);
            Assert.Empty(asked.Except(exported));
        }
    }

    [Fact]
    public void Every_alert_says_what_to_do_and_is_explained()
    {
        var alerts = Alert().Matches(File.ReadAllText(Path.Combine(Repository.Chart, "alerts", "matrix.yaml")));
        var explained = File.ReadAllText(Path.Combine(Repository.Root, "docs", "operations", "troubleshooting.md"));
        Assert.NotEmpty(alerts);
        Assert.All(alerts, alert =>
        {
            Assert.Contains("runbook:", alert.Value, StringComparison.Ordinal);
            Assert.Contains($"**{alert.Groups[1].Value}**", explained, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_dashboard_is_JSON_with_panels_of_their_own_places()
    {
        foreach (var file in Files.Where(file => file.EndsWith(".json", StringComparison.Ordinal)))
        {
            using var dashboard = JsonDocument.Parse(File.ReadAllBytes(file));
            var places = dashboard.RootElement.GetProperty("panels").EnumerateArray().Select(panel => panel.GetProperty("gridPos")).Select(at => (at.GetProperty("x").GetInt32(), at.GetProperty("y").GetInt32()));
            Assert.Distinct(places);
        }
    }

    [GeneratedRegex("\"(matrix\\.[a-z_.]+)\"")]
    private static partial Regex Instrument();

    [GeneratedRegex("matrix_[a-z_]+")]
    private static partial Regex Asked();

    [GeneratedRegex("(_seconds|_bytes)?(_total|_bucket|_count|_sum)?$")]
    private static partial Regex Suffix();

    [GeneratedRegex("- alert: ([A-Za-z]+)(?:\n(?! *- alert:).*)*")]
    private static partial Regex Alert();
}
