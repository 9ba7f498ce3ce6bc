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

    /// <summary>Made anew by tools/dashboards/record.</summary>
    [Fact]
    public void Each_row_of_the_dashboard_is_shown_in_the_docs()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Chart, "dashboards", "overview.json")));
        var titles = dashboard.RootElement.GetProperty("panels").EnumerateArray().Where(panel => panel.GetProperty("type").GetString() == "row").Select(row => row.GetProperty("title").GetString()!).ToList();
        var folder = Path.Combine(Repository.Root, "docs", "operations");
        var page = File.ReadAllText(Path.Combine(folder, "dashboard.md"));
        var pictures = Picture().Matches(page).Select(match => match.Groups[1].Value).ToList();
        Assert.All(titles, title => Assert.Contains($"\n## {title}\n", page, StringComparison.Ordinal));
        Assert.Equal(titles.Count, pictures.Count);
        Assert.All(pictures, picture => Assert.True(File.Exists(Path.Combine(folder, picture)), picture));
    }

    [GeneratedRegex(@"!\[[^\]]+\]\(([^)]+\.svg)\)")]
    private static partial Regex Picture();

    [GeneratedRegex("\"(matrix\\.[a-z_.]+)\"")]
    private static partial Regex Instrument();

    [GeneratedRegex("matrix_[a-z_]+")]
    private static partial Regex Asked();

    [GeneratedRegex("(_seconds|_bytes)?(_total|_bucket|_count|_sum)?$")]
    private static partial Regex Suffix();

    [GeneratedRegex("- alert: ([A-Za-z]+)(?:\n(?! *- alert:).*)*")]
    private static partial Regex Alert();
}
