using System.Text.RegularExpressions;

namespace Matrix.EndToEnd.Tests;

/// <summary>
/// The tests of the HTTP API run on all-in-one in their own project; here they all run once more, on the split stack. It is one of their own: they kill nothing
/// and measure nothing, so they run beside the tests that do, which wait for most of their time.
/// </summary>
public sealed partial class HttpTests(SplitStack stack) : IClassFixture<SplitStack>
{
    [Fact]
    public async Task The_tests_of_the_client_api_pass_on_the_split_stack()
    {
        // ends with another code than 0, and so fails here, unless all pass
        var output = await RunningServer.Run(Build.ClientApiTests, ["--no-ansi", "--progress", "off", "--timeout", "15m"], start =>
        {
            start.Environment["MATRIX_TEST_SERVER"] = stack.Server.Url.ToString();
            start.Environment["MATRIX_TEST_SHARED_SECRET"] = stack.Server.Configured("registration_shared_secret");
        });
        Assert.True(int.Parse(Succeeded().Match(output).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) >= 200, output);
    }

    [GeneratedRegex(@"^  succeeded: (\d+)$", RegexOptions.Multiline)]
    private static partial Regex Succeeded();
}
