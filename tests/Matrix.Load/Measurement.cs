using System.Diagnostics;

namespace Matrix.Load;

/// <summary>What one run of a scenario found.</summary>
/// <param name="Operations">What the figures are divided by.</param>
/// <param name="Latencies">Milliseconds, one for each that was timed.</param>
/// <param name="Cpu">Milliseconds of processor time by process.</param>
sealed record Result(double Operations, TimeSpan Wall, IReadOnlyList<double> Latencies, IReadOnlyDictionary<string, double> Cpu)
{
    public double PerSecond => Operations / Wall.TotalSeconds;

    public double CpuPerOperation => Cpu.Values.Sum() / Operations;

    public double Percentile(double part) =>
        Latencies.Count == 0 ? double.NaN : Latencies.Order().ElementAt(Math.Min(Latencies.Count - 1, (int)(Latencies.Count * part)));

    /// <summary>Several runs taken as one.</summary>
    public static Result Sum(IReadOnlyList<Result> results) => new(results.Sum(r => r.Operations),
        TimeSpan.FromSeconds(results.Sum(r => r.Wall.TotalSeconds)), [.. results.SelectMany(r => r.Latencies)],
        results.SelectMany(r => r.Cpu).GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value)));
}

/// <summary>
/// Times operations and counts what the server's processes spent between <see cref="Begin"/> and <see cref="End"/>. What a scenario does
/// before and after is free.
/// </summary>
sealed class Measurement(Target target, TimeSpan duration, CancellationToken ct)
{
    readonly List<double> _latencies = [];
    readonly Lock _lock = new();
    Dictionary<string, double> _before = [];
    long _begun;
    double _operations;

    public TimeSpan Duration => duration;

    public CancellationToken Stop => ct;

    public Result? Result { get; private set; }

    public async Task Begin()
    {
        await target.Settle(ct);
        _before = target.Processes.Cpu();
        _begun = Stopwatch.GetTimestamp();
    }

    public void End()
    {
        var wall = Stopwatch.GetElapsedTime(_begun);
        var after = target.Processes.Cpu();
        Result = new(_operations, wall, [.. _latencies], after.ToDictionary(pair => pair.Key, pair => pair.Value - _before[pair.Key]));
    }

    /// <summary>Counts operations, and how long they took.</summary>
    public void Count(double milliseconds, double operations = 1)
    {
        lock (_lock)
        {
            _latencies.Add(milliseconds);
            _operations += operations;
        }
    }

    public async Task Timed(Func<Task> operation, double operations = 1)
    {
        var started = Stopwatch.GetTimestamp();
        await operation();
        Count(Stopwatch.GetElapsedTime(started).TotalMilliseconds, operations);
    }

    /// <summary>So many at once, each beginning the next operation when its last is answered, until the time is over.</summary>
    /// <param name="operation">Gets the operation's number and the worker's.</param>
    public async Task Closed(int workers, Func<int, int, Task> operation, int most = int.MaxValue)
    {
        var next = -1;
        await Begin();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(async worker =>
        {
            do
            {
                var number = Interlocked.Increment(ref next);
                if (number >= most) break;
                await Timed(() => operation(number, worker));
            } while (Stopwatch.GetElapsedTime(_begun) < duration);
        }));
        End();
    }

    /// <summary>The same of operations that block, each worker on a thread of its own.</summary>
    /// <param name="operation">Gets the worker's number.</param>
    public async Task ClosedOnThreads(int workers, Action<int> operation)
    {
        await Begin();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Factory.StartNew(() =>
        {
            do
            {
                var started = Stopwatch.GetTimestamp();
                operation(worker);
                Count(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            } while (Stopwatch.GetElapsedTime(_begun) < duration && !ct.IsCancellationRequested);
        }, ct, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        End();
    }
}
