using System.Globalization;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>
/// Three times the load that the server can carry. What it decides by is tested with all other tests (Matrix.Hosting.Tests, Matrix.Gateway.Tests: OverloadTests); this
/// measures, for a minute, and wants a machine of its own. The load comes from this process, which needs processors too: it says how late it was itself.
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
        await load.Prepare(people: 40);
        await load.Closed(32, TimeSpan.FromSeconds(15)); // warms up

        var most = await Measure(server, "32 senders, one message after the other", () => load.Closed(32, TimeSpan.FromSeconds(8)));
        // as they come, not as they are answered; once before, for that takes other connections. The middle one of three: what else runs, RabbitMQ's garbage too, takes
        // a tenth of a second of both processors now and then, and there is little left to make up for it
        await load.Open(most.Rate * 0.8, TimeSpan.FromSeconds(8));
        var thrice = new List<LoadResult>();
        while (thrice.Count < 3) thrice.Add(await Measure(server, "0.8 of that, as it comes", () => load.Open(most.Rate * 0.8, TimeSpan.FromSeconds(8))));
        var (carried, refused) = (thrice.OrderBy(result => result.P95).ElementAt(1), thrice.OrderBy(result => result.Refused).ElementAt(1));
        var before = await Memory(server, "before");
        var over = await Measure(server, "three times as many", () => load.Open(most.Rate * 3, TimeSpan.FromSeconds(15)));
        var after = await Measure(server, "half of it, at once afterwards", () => load.Open(most.Rate * 0.5, TimeSpan.FromSeconds(6)));
        var left = await Memory(server, "after");
        var again = await Measure(server, "three times as many again", () => load.Open(most.Rate * 3, TimeSpan.FromSeconds(15)));
        var last = await Memory(server, "after that");

        Assert.Empty(over.Failed.Concat(again.Failed).GroupBy(reason => reason).Select(reason => $"{reason.Count()} {reason.Key}"));
        Assert.True(over.Refused > 0 && over.RefusedInTime >= over.Refused * 0.95, $"{over.RefusedInTime} of {over.Refused} refused early");
        var bar = Math.Max(most.P95, carried.P95) * 3;
        Assert.True(over.P95 <= bar, $"p95 of what is accepted: {over.P95} ms, beyond {bar} ms");
        Assert.True(over.Rate > most.Rate / 2, $"only {over.Rate}/s of {most.Rate}/s are still done");
        Assert.True(after.Failed.Count == 0 && after.Refused < after.AcceptedMs.Count / 20, $"not well again: {after}");
        Assert.True(refused.Refused < refused.AcceptedMs.Count / 100, $"refused what it can carry: {refused}");
        // what is kept for each connection and each buffer that was once needed stays; more of the same load takes no more
        Assert.True(left < before * 1.3 + 20, $"memory grew from {before} to {left} MiB");
        Assert.True(last < left * 1.05 + 20, $"memory goes on growing, from {left} to {last} MiB");
    }

    /// <summary>Says with the result who had the processors meanwhile: the load, each part of the server, and, of what is missing to all of them, others.</summary>
    async Task<LoadResult> Measure(RunningServer server, string what, Func<Task<LoadResult>> run)
    {
        List<(string Name, int Pid)> processes = [("the load", Environment.ProcessId), .. server.Processes().Where(process => process.Name != "supervisor").Select(process => (process.Name, process.Pid))];
        var before = processes.ConvertAll(process => ProcessCpu.Of(process.Pid));
        var began = TimeProvider.System.GetTimestamp();
        var result = await run();
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var shares = processes.Zip(before, (process, at) => (process.Name, Part: (ProcessCpu.Of(process.Pid) - at).TotalSeconds / seconds)).Where(share => share.Part >= 0.005).ToList();
        output.WriteLine($"{what}: {result}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"    processors: {string.Join(", ", shares.Select(share => $"{share.Name} {share.Part:F2}"))}; together {shares.Sum(share => share.Part):F2} of {Environment.ProcessorCount}, {seconds:F0} s"));
        return result;
    }

    async Task<long> Memory(RunningServer server, string when)
    {
        var processes = server.DotnetProcesses();
        var all = await RunningServer.SettledMemory(processes);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"memory {when}: {all} MiB ({string.Join(", ", processes.Select(process => $"{process.Name} {ProcessMemory.Together([process.Pid])}"))})"));
        return all;
    }
}
