namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>
/// Three times the load that the server can carry. What it decides by is tested with all other tests (Matrix.Hosting.Tests, OverloadTests); this measures, for
/// half a minute, and wants a machine of its own.
/// </summary>
[Collection("end to end")]
public sealed class OverloadTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Three_times_the_load_is_refused_early_and_what_is_accepted_stays_fast()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MATRIX_TEST_OVERLOAD") == "long", "MATRIX_TEST_OVERLOAD=long measures, on a machine that does nothing else.");
        await using var server = await RunningServer.Start("e2e.example", new Dictionary<string, string> { ["MATRIX__overload__always_admitted"] = "64" });
        using var load = new OpenLoad(server.Url);
        await load.Prepare(server.Url, people: 40);
        await load.Closed(32, TimeSpan.FromSeconds(8)); // warms up

        var most = await load.Closed(32, TimeSpan.FromSeconds(6));
        output.WriteLine($"32 senders, one message after the other: {most}");
        var carried = await load.Open(most.Rate * 0.8, TimeSpan.FromSeconds(6));
        output.WriteLine($"0.8 of that, as it comes: {carried}");
        var before = await RunningServer.SettledMemory(server.DotnetProcesses());
        var over = await load.Open(most.Rate * 3, TimeSpan.FromSeconds(10));
        output.WriteLine($"three times as many: {over}");
        var after = await load.Open(most.Rate * 0.5, TimeSpan.FromSeconds(6));
        output.WriteLine($"half of it, at once afterwards: {after}");
        var left = await RunningServer.SettledMemory(server.DotnetProcesses());
        output.WriteLine($"memory of all processes before {before} MiB, after {left} MiB");

        Assert.Empty(over.Failed);
        Assert.True(over.Refused > 0 && over.RefusedInTime >= over.Refused * 0.95, $"{over.RefusedInTime} of {over.Refused} refused early");
        var bar = Math.Max(most.P95, carried.P95) * 3;
        Assert.True(over.P95 <= bar, $"p95 of what is accepted: {over.P95} ms, beyond {bar} ms");
        Assert.True(over.Rate > most.Rate / 2, $"only {over.Rate}/s of {most.Rate}/s are still done");
        Assert.True(after.Failed.Count == 0 && after.Refused < after.AcceptedMs.Count / 20, $"not well again: {after}");
        Assert.True(left < before * 1.3 + 20, $"memory grew from {before} to {left} MiB");
    }
}
