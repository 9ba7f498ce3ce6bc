using System.Diagnostics;

namespace Matrix.Replication.Tests;

/// <summary>A process that writes and follows the log (tests/Matrix.Replication.Worker), and what it has said so far.</summary>
sealed class WorkerProcess : IAsyncDisposable
{
    readonly Process _process;
    readonly Task _reading;
    readonly Task<string> _errors;
    readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<long> _holding = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _firstStored = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WorkerProcess(int appenders, IEnumerable<KeyValuePair<string, string?>> configuration)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Matrix.Replication.Worker.dll"));
        start.ArgumentList.Add($"{appenders}");
        foreach (var (key, value) in configuration)
            start.ArgumentList.Add($"{key}={value}");
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
        _reading = Read();
    }

    /// <summary>What it was told was stored: the first entry's position and the keys.</summary>
    public List<(long First, string[] Keys)> Stored { get; } = [];

    /// <summary>What it followed, in the order it said.</summary>
    public List<(long Position, string Key)> Followed { get; } = [];

    /// <summary>Completes when it writes.</summary>
    public Task AtWork => Task.WhenAny(_firstStored.Task, _reading);

    /// <summary>The fence of the lease that it holds.</summary>
    public Task<long> Holding => _holding.Task;

    public async Task Kill()
    {
        _process.Kill(); // SIGKILL
        await _reading;
    }

    public Task StopAppending()
    {
        _process.StandardInput.WriteLine("stop");
        return Task.WhenAny(_stopped.Task, _reading);
    }

    public async Task FollowUntil(long position)
    {
        await _process.StandardInput.WriteLineAsync($"until {position}");
        await _process.StandardInput.FlushAsync();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await _reading;
        Assert.True(_process.ExitCode == 0, await _errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _reading;
        _process.Dispose();
    }

    async Task Read()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            switch (line.Split(' '))
            {
                case ["followed", var position, var key, "."]:
                    Followed.Add((Number(position), key));
                    break;
                case ["stored", var id, var count, var position, "."]:
                    Stored.Add((Number(position) - Number(count) + 1, [.. Enumerable.Range(0, (int)Number(count)).Select(n => $"{id}/{n}")]));
                    _firstStored.TrySetResult();
                    break;
                case ["holding", var fence, "."]:
                    _holding.TrySetResult(Number(fence));
                    break;
                case ["stopped", "."]:
                    _stopped.TrySetResult();
                    break;
            }
        }
    }

    static long Number(string text) => long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
