namespace Matrix.EndToEnd.Tests;

/// <summary>The scenarios of the load generator (docs/performance.md) in small, so that they do not rot.</summary>
[Collection("end to end")]
public sealed class LoadTests(SplitStack stack)
{
    [Fact]
    public async Task Every_load_scenario_runs_without_an_error()
    {
        var processes = stack.Server.Processes().Select(process => $"{process.Name}={process.Pid}");
        // ends with another code than 0, and so fails here, if a scenario fails
        var output = await RunningServer.Run("dotnet",
        [
            Build.LoadGenerator, "run", "--tiny", "--seconds", "0.05", "--rounds", "1", "--url", stack.Server.Url.ToString(), "--secret",
            stack.Server.Configured("registration_shared_secret"), "--pids", string.Join(',', processes),
        ]);
        TestContext.Current.TestOutputHelper?.WriteLine(output);
        Assert.Contains("| send | 8 senders in 4 rooms of 10 |", output, StringComparison.Ordinal);
        Assert.Contains("Memory of server 1", output, StringComparison.Ordinal);
    }
}
