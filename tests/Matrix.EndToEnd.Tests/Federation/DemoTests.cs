using System.Globalization;
using System.Text.RegularExpressions;
using Matrix.LocalStack;
using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests.Federation;

/// <summary>The demo's scripts do what its README says.</summary>
[Collection("end to end")]
public sealed partial class DemoTests
{
    static readonly int s_port = FreePort.Find(1, 2, 400, 401, 402); // as demo/common.sh counts them

    [Fact]
    public async Task Three_servers_start_and_know_each_other()
    {
        var data = Path.Combine(Path.GetTempPath(), $"matrix-demo-{Guid.NewGuid():N}");
        try
        {
            var started = TimeProvider.System.GetTimestamp();
            var urls = Line().Matches(await Run("start", data)).Select(line => (Url: line.Groups[1].Value, Server: line.Groups[2].Value)).ToList();
            TestContext.Current.TestOutputHelper?.WriteLine($"The demo was up after {TimeProvider.System.GetElapsedTime(started).TotalSeconds:f1} s");
            Assert.Equal(3, urls.Count);
            foreach (var (url, _) in urls)
            {
                using var http = new HttpClient { BaseAddress = new Uri(url) };
                foreach (var (_, server) in urls)
                    Assert.Equal(server, Assert.Single((await new ApiClient(http).Get($"/_matrix/key/v2/query/{server}")).Ok()["server_keys"].Items()).String("server_name"));
            }
        }
        finally
        {
            await Run("clean", data);
        }
        Assert.False(Directory.Exists(data));
    }

    static Task<string> Run(string script, string data) => RunningServer.Run(Path.Combine(Build.RepositoryRoot, "demo", script), [], start =>
    {
        start.Environment["MATRIX_DEMO_DATA"] = data;
        start.Environment["MATRIX_DEMO_PORT"] = s_port.ToString(CultureInfo.InvariantCulture);
        start.Environment["MATRIX_NO_BUILD"] = "1";
    });

    [GeneratedRegex("^(http://localhost:[0-9]+)  @[a-z]+:(localhost:[0-9]+)", RegexOptions.Multiline)]
    private static partial Regex Line();
}
