namespace Matrix.EndToEnd.Tests;

/// <summary>What the README promises of memory and time, measured.</summary>
[Collection("end to end")]
public sealed class FigureTests
{
    [Theory]
    [InlineData(600)]
    [InlineData(200, "--all-in-one")]
    public async Task Idle_memory_and_the_time_of_a_second_start_stay_in_bounds(int mebibytes, params string[] options)
    {
        await using var server = await RunningServer.Start(options);
        await server.Down();
        await server.Up();
        var memory = await RunningServer.SettledMemory(server.DotnetProcesses());
        var kind = options.Length == 0 ? "split stack" : "all-in-one";
        TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: second start {server.StartTime.TotalSeconds:F1} s, idle .NET memory {memory} MiB (resident sizes added up: {ProcessMemory.Resident(server.DotnetProcesses().Select(process => process.Pid))} MiB)");
        Assert.True(memory < mebibytes, $"The {kind} takes {memory} MiB idle.");
        // alone on the machine it takes half of this; here other tests run beside it
        Assert.True(server.StartTime < TimeSpan.FromSeconds(30), $"The second start took {server.StartTime.TotalSeconds:F1} s.");
    }
}
