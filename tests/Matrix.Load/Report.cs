using System.Globalization;

namespace Matrix.Load;

/// <summary>Prints what was found, as Markdown.</summary>
static class Report
{
    public static void Details(Scenario scenario, Target target, Result result)
    {
        var parts = string.Join(", ", result.Cpu.Where(part => part.Value > 0).OrderByDescending(part => part.Value)
            .Select(part => Invariant($"{part.Key} {part.Value / result.Operations:0.###}")));
        Console.WriteLine(Invariant($"{scenario.Name,-22} {target.Name,-8} {result.Operations,7:0} ops {result.PerSecond,8:0.0}/s ") +
            Invariant($"p50 {result.Percentile(0.5),7:0.0} p95 {result.Percentile(0.95),7:0.0} p99 {result.Percentile(0.99),7:0.0} ms  ") +
            Invariant($"CPU {result.CpuPerOperation:0.###} ms/op ({parts})"));
    }

    public static void Heading(IReadOnlyList<Target> targets)
    {
        Console.WriteLine();
        if (targets.Count == 1)
        {
            Console.WriteLine("| scenario | operation | ops/s | p50 ms | p95 ms | p99 ms | CPU ms/op |\n|---|---|---|---|---|---|---|");
            return;
        }
        var (a, b) = (targets[0].Name, targets[1].Name);
        Console.WriteLine($"| scenario | one operation | CPU ms/op: {a} | {b} | ratio | ops/s: {a} | {b} | p50 ms: {a} | {b} | p95 ms: {a} | {b} |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|");
    }

    public static void Row(Scenario scenario, IReadOnlyList<Result?> results)
    {
        if (results.Count == 1)
        {
            Console.WriteLine(results[0] is not { } one ? $"| {scenario.Name} | {scenario.Operation} | not served |" : Invariant(
                $"| {scenario.Name} | {scenario.Operation} | {one.PerSecond:0.0} | {Short(one.Percentile(0.5))} | {Short(one.Percentile(0.95))} | {Short(one.Percentile(0.99))} | {Short(one.CpuPerOperation)} |"));
            return;
        }
        var (a, b) = (results[0], results[1]);
        Console.WriteLine($"| {scenario.Name} | {scenario.Operation} | {Cell(a, r => r.CpuPerOperation)} | {Cell(b, r => r.CpuPerOperation)} | {Ratio(a, b)} " +
            $"| {Cell(a, r => r.PerSecond)} | {Cell(b, r => r.PerSecond)} | {Cell(a, r => r.Percentile(0.5))} | {Cell(b, r => r.Percentile(0.5))} " +
            $"| {Cell(a, r => r.Percentile(0.95))} | {Cell(b, r => r.Percentile(0.95))} |");
    }

    public static void Memory(IReadOnlyList<Target> targets)
    {
        Console.WriteLine();
        foreach (var target in targets.Where(target => !target.Processes.IsEmpty))
        {
            var memory = target.Processes.Memory();
            Console.WriteLine($"Memory of {target.Name} after the run: {memory.Values.Sum()} MiB ({string.Join(", ", memory.Select(part => $"{part.Key} {part.Value}"))})");
        }
    }

    static string Cell(Result? result, Func<Result, double> value) => result is null ? "–" : Short(value(result));

    static string Ratio(Result? a, Result? b) =>
        a is null || b is null ? "–" : Invariant($"1/{b.CpuPerOperation / a.CpuPerOperation:0.0}");

    static string Short(double value) => value.ToString(value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
