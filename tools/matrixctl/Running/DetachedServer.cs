using Matrix.LocalStack;
using Spectre.Console;

namespace Matrix.Ctl.Running;

/// <summary>A server that is looked after by a process of its own, which outlives this one: <c>up --detach</c>.</summary>
static class DetachedServer
{
    public const string RecordName = "supervisor";
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// How long a stop may take: services finish their requests, then Postgres writes its checkpoint.
    /// </summary>
    public static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(90);

    /// <summary>Starts the process with the same arguments, shows what it reports unless that is not wanted, and returns when its server answers.</summary>
    public static async Task<ServerState> Start(string dataFolder, IReadOnlyList<string> arguments, bool isShown, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.Combine(dataFolder, "logs"));
        Directory.CreateDirectory(Path.Combine(dataFolder, "run"));
        var log = Path.Combine(dataFolder, "logs", RecordName + ".log");
        var shown = File.Exists(log) ? new FileInfo(log).Length : 0;
        var supervisor = BackgroundProcess.Start(new Launch
        {
            Name = RecordName,
            Command = [ServiceKind.Dotnet, Path.Combine(AppContext.BaseDirectory, "matrixctl.dll"), .. arguments],
            LogFile = log,
            RecordFile = PrivateStack.RecordFile(dataFolder, RecordName),
            WorkingFolder = Environment.CurrentDirectory,
        });
        try
        {
            while (true)
            {
                var hasEnded = supervisor.HasEnded;
                if (isShown) shown = ShowNew(log, shown);
                if (ServerState.Find(dataFolder) is { IsRunning: true } state && state.Supervisor == supervisor.Identity) return state;
                if (hasEnded)
                {
                    File.Delete(PrivateStack.RecordFile(dataFolder, RecordName));
                    throw new StackException($"The server did not start; its log is {log}");
                }
                await Task.Delay(PollInterval, ct);
            }
        }
        catch (OperationCanceledException)
        {
            await supervisor.Stop(StopLimit, CancellationToken.None);
            if (isShown) ShowNew(log, shown);
            throw;
        }
    }

    static long ShowNew(string log, long shown)
    {
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        if (stream.Length < shown) shown = 0; // the log was rotated
        stream.Position = shown;
        var text = new StreamReader(stream).ReadToEnd();
        // only whole lines: the rest comes with the next look
        var end = text.LastIndexOf('\n') + 1;
        AnsiConsole.Write(new Text(text[..end]));
        return shown + System.Text.Encoding.UTF8.GetByteCount(text.AsSpan(0, end));
    }
}
