using System.Diagnostics;

namespace Matrix.LocalStack;

/// <summary>How a process is started. Its output goes to <c>LogFile</c>, its record to <c>RecordFile</c>.</summary>
public sealed record Launch
{
    public required string Name { get; init; }
    public required IReadOnlyList<string> Command { get; init; }
    public required string LogFile { get; init; }
    public required string RecordFile { get; init; }
    public required string WorkingFolder { get; init; }
    public string? Address { get; init; }
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Sockets that the process gets, under the same numbers.</summary>
    public IReadOnlyList<ListeningSocket> Inherits { get; init; } = [];

    /// <summary>Variables of ours whose names start so are kept from the process.</summary>
    public IReadOnlyList<string> HiddenEnvironment { get; init; } = [];
}

/// <summary>
/// A process in a session of its own: Ctrl-C in the terminal does not reach it, and it outlives a killed parent until its record is
/// used to stop it.
/// </summary>
public sealed class BackgroundProcess
{
    const long LogLimit = 32 * 1024 * 1024;
    static readonly Lock starting = new();
    readonly Process process;
    readonly string recordFile;

    BackgroundProcess(Process process, ProcessIdentity identity, string recordFile) =>
        (this.process, Identity, this.recordFile) = (process, identity, recordFile);

    public ProcessIdentity Identity { get; }

    /// <summary>Completes when the process has ended.</summary>
    public Task Ended(CancellationToken ct) => process.WaitForExitAsync(ct);

    public bool HasEnded => process.HasExited;

    /// <summary>The exit code as a shell shows it: 128 + n after signal n.</summary>
    public int ExitCode => process.ExitCode;

    public static BackgroundProcess Start(Launch launch)
    {
        Rotate(launch.LogFile);
        // exec all the way: the id that is recorded is the program's own; setsid only forks for a group leader, which a child is not
        var start = new ProcessStartInfo("/bin/sh")
        {
            WorkingDirectory = launch.WorkingFolder,
            ArgumentList = { "-c", "exec setsid \"$@\" >>\"$0\" 2>&1 </dev/null", launch.LogFile },
        };
        // the shell drops variables that it has no name for (those of services with a dash), so these are set behind it
        var unnameable = launch.Environment.Where(variable => variable.Key.Contains('-')).ToList();
        if (unnameable.Count > 0) start.ArgumentList.Add("env");
        foreach (var (name, value) in unnameable) start.ArgumentList.Add($"{name}={value}");
        foreach (var argument in launch.Command) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => launch.HiddenEnvironment.Any(name.StartsWith)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in launch.Environment) start.Environment[name] = value;

        var process = StartWith(launch.Inherits, start);
        // a child that is not yet waited for keeps its id, so this cannot be another process; null only if it ended at once
        var identity = ProcessIdentity.Find(process.Id) ?? new(process.Id, 0, "");
        new RunRecord(launch.Name, identity, TimeProvider.System.GetUtcNow(), launch.Address).Write(launch.RecordFile);
        return new(process, identity, launch.RecordFile);
    }

    /// <summary>Stops the process, killing it after <paramref name="grace"/>, and removes its record.</summary>
    public async Task Stop(TimeSpan grace, CancellationToken ct, StopManner manner = StopManner.Terminate)
    {
        await Identity.Stop(grace, ct, manner);
        File.Delete(recordFile);
        process.Dispose();
    }

    /// <summary>Stops what an earlier run recorded in this file, if it still is the same process, and removes the record.</summary>
    public static async Task StopRecorded(string recordFile, TimeSpan grace, CancellationToken ct, StopManner manner = StopManner.Terminate)
    {
        if (!File.Exists(recordFile)) return;
        if (RunRecord.Find(recordFile) is { } record) await record.Process.Stop(grace, ct, manner);
        File.Delete(recordFile);
    }

    /// <summary>One start at a time, so that no other process gets the sockets too.</summary>
    static Process StartWith(IReadOnlyList<ListeningSocket> sockets, ProcessStartInfo start)
    {
        lock (starting)
        {
            foreach (var socket in sockets) socket.SetInherited(true);
            try
            {
                return Process.Start(start)!;
            }
            finally
            {
                foreach (var socket in sockets) socket.SetInherited(false);
            }
        }
    }

    static void Rotate(string logFile)
    {
        if (File.Exists(logFile) && new FileInfo(logFile).Length > LogLimit) File.Move(logFile, logFile + ".1", overwrite: true);
    }
}
