using Matrix.LocalStack;

namespace Matrix.Ctl.Running;

/// <summary>What one replica is started with.</summary>
sealed record ReplicaPlan(string Name, ServiceKind Service, string Url, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>The ports that it serves, which stay open while it is restarted.</summary>
    public IReadOnlyList<ListeningSocket> Ports { get; init; } = [];
}

/// <summary>One running process of a service, started again whenever it ends by itself.</summary>
sealed class Replica(ReplicaPlan plan, string dataFolder, Action<string, string> report, TimeProvider time)
{
    const int StartAttempts = 3;
    const int BadConfiguration = 78; // EX_CONFIG of sysexits.h: what a service ends with that cannot use its configuration
    static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(20), StartLimit = TimeSpan.FromSeconds(60), Settled = TimeSpan.FromSeconds(60);
    static readonly TimeSpan[] Backoff = [.. new[] { 0.2, 1, 2, 5, 10, 30 }.Select(TimeSpan.FromSeconds)];
    static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(50);
    // keeps no connection, which a process that stops would have to wait for
    static readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(5), DefaultRequestHeaders = { ConnectionClose = true } };

    readonly TaskCompletionSource endWanted = new(TaskCreationOptions.RunContinuationsAsynchronously), ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource firstReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile TaskCompletionSource? restart;
    volatile bool isEndWanted;
    BackgroundProcess? process;

    public ReplicaPlan Plan => plan;

    /// <summary>Complete when it first answered; faulted when it ended each time that it was started.</summary>
    public Task Ready => firstReady.Task;

    public string LogFile => Path.Combine(dataFolder, "logs", plan.Name + ".log");

    /// <summary>Keeps the process running until the server stops or <see cref="End"/>, and then stops it.</summary>
    public async Task Run(CancellationToken serverStopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(serverStopping);
        var stopping = either.Token;
        _ = endWanted.Task.ContinueWith(_ => either.Cancel(), TaskScheduler.Default);
        var failures = 0;
        while (!stopping.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            process = Start();
            var over = process.Ended(CancellationToken.None);
            using (var probing = CancellationTokenSource.CreateLinkedTokenSource(stopping))
            {
                var probe = WaitReady(probing.Token);
                await Task.WhenAny(over, stopping.AsTask());
                await probing.CancelAsync();
                await probe;
            }
            if (stopping.IsCancellationRequested) break;
            if (isEndWanted)
            {
                isEndWanted = false;
                continue;
            }

            failures = time.GetElapsedTime(started) > Settled ? 1 : failures + 1;
            report(plan.Name, $"ended with code {process.ExitCode}");
            if (!Ready.IsCompleted && (failures == StartAttempts || process.ExitCode == BadConfiguration)) Fail();
            var pause = Backoff[Math.Min(failures, Backoff.Length) - 1];
            await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (process is not null) await process.Stop(StopGrace, CancellationToken.None, serverStopping.IsCancellationRequested ? StopManner.Hurry : StopManner.Terminate);
        firstReady.TrySetCanceled(CancellationToken.None);
        ended.TrySetResult();
    }

    /// <summary>Stops the process gracefully; returns when its successor answers.</summary>
    public async Task Restart(CancellationToken ct)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        (restart, isEndWanted) = (done, true);
        report(plan.Name, "restarting");
        await process!.Identity.Stop(StopGrace, ct);
        await done.Task.WaitAsync(StartLimit, time, ct);
    }

    /// <summary>Stops the process for good; <see cref="Run"/> ends.</summary>
    public Task End()
    {
        endWanted.TrySetResult();
        return ended.Task;
    }

    BackgroundProcess Start() => BackgroundProcess.Start(new Launch
    {
        Name = plan.Name,
        Command = plan.Service.Command,
        LogFile = LogFile,
        RecordFile = PrivateStack.RecordFile(dataFolder, plan.Name),
        WorkingFolder = dataFolder,
        Address = plan.Url,
        Environment = plan.Environment,
        Inherits = plan.Ports,
    });

    /// <summary>Asks the process for its health until it is ready or <paramref name="ct"/> says that it is of no more use.</summary>
    async Task WaitReady(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if (await IsReady(plan.Url, ct))
            {
                report(plan.Name, "ready");
                firstReady.TrySetResult();
                restart?.TrySetResult();
                restart = null;
                return;
            }
            await Task.Delay(ProbeInterval, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>True when the process at this address says that it takes requests.</summary>
    public static async Task<bool> IsReady(string url, CancellationToken ct)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(url + "/health/ready"), ct);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    void Fail()
    {
        var lines = File.Exists(LogFile) ? File.ReadLines(LogFile).ToList() : [];
        if (process!.ExitCode == BadConfiguration)
        {
            var mistakes = lines.AsEnumerable().Reverse().TakeWhile(line => line.StartsWith("  - ", StringComparison.Ordinal)).Reverse();
            firstReady.TrySetException(new BadConfigurationException([.. mistakes]));
        }
        else
        {
            var end = string.Join('\n', lines.TakeLast(15));
            firstReady.TrySetException(new StackException($"{plan.Name} does not start; the end of {LogFile}:\n{end}"));
        }
    }
}

/// <summary>A service that cannot use its configuration says what is wrong with it, a line for each mistake.</summary>
sealed class BadConfigurationException(IReadOnlyList<string> mistakes) : Exception
{
    public IReadOnlyList<string> Mistakes { get; } = mistakes;
}

static class CancellationTasks
{
    /// <summary>A task that completes when the token is cancelled.</summary>
    public static Task AsTask(this CancellationToken ct)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ct.Register(cancelled.SetResult);
        return cancelled.Task;
    }
}
