using System.Text.RegularExpressions;

namespace Matrix.Architecture.Tests;

/// <summary>One file per endpoint, which says what it serves; and every route of the specification is accounted for.</summary>
public sealed partial class EndpointTests
{
    static IEnumerable<string> EndpointFiles => Repository.Files("services", "*.cs").Where(file => MapCall().IsMatch(File.ReadAllText(file)));

    [Fact]
    public void The_list_of_the_specification_is_whole()
    {
        if (SpecRoutes.Folder is { } folder)
        {
            Repository.AssertUpToDate(SpecRoutes.ListPath, SpecRoutes.Generate(folder));
        }
        Assert.Equal(SpecRoutes.Committed, SpecRoutes.Committed.Distinct().OrderBy(r => r.Path, StringComparer.Ordinal).ThenBy(r => r.Method, StringComparer.Ordinal));
        Assert.True(SpecRoutes.Committed.Count >= 200, $"only {SpecRoutes.Committed.Count} routes");
    }

    [Fact]
    public void Every_route_of_the_specification_is_served_or_listed_as_not_yet_served() =>
        Repository.AssertUpToDate(EndpointTable.Path, EndpointTable.Create(SpecRoutes.Committed, ServedRoutes.All));

    [Fact]
    public void No_route_is_served_twice() =>
        Repository.AssertNone(ServedRoutes.All.GroupBy(served => served.Route.Shape).Where(same => same.Count() > 1).Select(same => same.Key));

    [Fact]
    public void An_endpoint_file_serves_one_route() =>
        Repository.AssertNone(EndpointFiles.Where(file => MapCall().Count(File.ReadAllText(file)) > 1).Select(Repository.Relative));

    [Fact]
    public void Every_served_route_is_named_by_the_doc_line_of_its_file()
    {
        var documented = EndpointFiles.SelectMany(File.ReadLines).Where(line => line.TrimStart().StartsWith("///", StringComparison.Ordinal))
            .SelectMany(line => Documented().Matches(line)).Select(match => match.Value).ToHashSet();
        Repository.AssertNone(ServedRoutes.All.Select(served => served.Route.ToString()).Where(route => !documented.Contains(route)));
    }

    [GeneratedRegex(@"\.Map(Get|Put|Post|Delete|Methods|Patch)\(")]
    private static partial Regex MapCall();

    [GeneratedRegex(@"\b(GET|PUT|POST|DELETE) /[^\s<:,;]*[^\s<:,;.](?=[\s<:,;.]|$)")]
    private static partial Regex Documented();
}
