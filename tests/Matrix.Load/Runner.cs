namespace Matrix.Load;

/// <summary>Runs scenarios one after the other, each on every server in turn (A, B, A, B), so that what else the machine does falls on all.</summary>
/// <param name="duration">Of one run.</param>
/// <param name="warmUp">For so long each server runs a scenario before it is measured, and for one run at least.</param>
sealed class Runner(IReadOnlyList<Target> targets, TimeSpan duration, TimeSpan warmUp, int rounds, bool isTiny)
{
    /// <returns>The exit code: 0 when every scenario ran or is not served.</returns>
    public async Task<int> Run(IReadOnlyList<Scenario> scenarios, CancellationToken ct)
    {
        var crowds = targets.Select(target => new Crowd(new(target), isTiny)).ToList();
        var table = new List<(Scenario Scenario, IReadOnlyList<Result?> Results)>();
        var failed = 0;
        foreach (var scenario in scenarios)
        {
            try
            {
                table.Add((scenario, await Measure(scenario, crowds, ct)));
            }
            catch (Exception e) when (e is LoadException or HttpRequestException)
            {
                failed++;
                Console.WriteLine($"{scenario.Name}: {e.Message}");
            }
        }
        Report.Heading(targets);
        foreach (var (scenario, results) in table) Report.Row(scenario, results);
        Report.Memory(targets);
        foreach (var crowd in crowds) crowd.Client.Dispose();
        return failed == 0 ? 0 : 1;
    }

    async Task<IReadOnlyList<Result?>> Measure(Scenario scenario, IReadOnlyList<Crowd> crowds, CancellationToken ct)
    {
        var runs = new Func<Measurement, Task>?[crowds.Count];
        var results = crowds.Select(_ => new List<Result>()).ToList();
        for (var i = 0; i < crowds.Count; i++)
        {
            runs[i] = await Prepare(scenario, crowds[i], ct);
        }
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < crowds.Count; i++)
            {
                if (runs[i] is not { } run) continue;
                results[i].Add(await Round(run, crowds[i], duration, ct));
                Report.Details(scenario, targets[i], results[i][^1]);
            }
        }
        return [.. results.Select(found => found.Count == 0 ? null : Result.Sum(found))];
    }

    /// <returns>What is to be measured, after first runs that warm code, caches and connections; null when the server does not serve it.</returns>
    async Task<Func<Measurement, Task>?> Prepare(Scenario scenario, Crowd crowd, CancellationToken ct)
    {
        try
        {
            var run = await scenario.Prepare(crowd, ct);
            var began = TimeProvider.System.GetTimestamp();
            do
            {
                await Round(run, crowd, duration, ct);
            } while (TimeProvider.System.GetElapsedTime(began) < warmUp);
            return run;
        }
        catch (LoadException e) when (e.IsUnsupported)
        {
            Console.WriteLine($"{scenario.Name,-22} {crowd.Client.Target.Name,-8} not served");
            return null;
        }
    }

    static async Task<Result> Round(Func<Measurement, Task> run, Crowd crowd, TimeSpan duration, CancellationToken ct)
    {
        var measurement = new Measurement(crowd.Client.Target, duration, ct);
        await run(measurement);
        return measurement.Result!;
    }
}
