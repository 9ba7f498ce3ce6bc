using System.Text.RegularExpressions;

namespace Matrix.EndToEnd.Tests;

/// <summary>The README's commands do what it says.</summary>
[Collection("end to end")]
public sealed partial class ReadmeTests(SplitStack stack)
{
    [Fact]
    public async Task The_chat_by_curl_works_as_printed()
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(Build.RepositoryRoot, "README.md"), TestContext.Current.CancellationToken);
        var section = readme.Split("\n## ").Single(part => part.StartsWith("A chat by curl", StringComparison.Ordinal));
        var script = string.Concat(Block().Matches(section).Select(block => block.Groups[1].Value));
        Assert.Contains("http://localhost:8008", script, StringComparison.Ordinal);
        var output = await RunningServer.Run("bash", ["-euo", "pipefail", "-c", script.Replace("http://localhost:8008", stack.Server.Url.ToString().TrimEnd('/'), StringComparison.Ordinal)]);
        Assert.Equal(2, Regex.Count(output, "\"body\":\"This wakes you\"")); // once from the waiting sync, once from the room's history
        Assert.Contains("\"body\":\"Hello Bob\"", output, StringComparison.Ordinal);
        Assert.DoesNotContain("errcode", output, StringComparison.Ordinal);
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
