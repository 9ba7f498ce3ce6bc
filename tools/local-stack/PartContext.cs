namespace Matrix.LocalStack;

/// <summary>What each part needs to know to start.</summary>
sealed record PartContext(StackOptions Options, StackState State, Programs Programs, string? Docker, Account Account)
{
    public string Folder(string part) => Path.Combine(State.PartsFolder, part);
    public string LogFile(string part) => Path.Combine(Options.DataFolder, "logs", part + ".log");
    public string RecordFile(string part) => PrivateStack.RecordFile(Options.DataFolder, part);

    public BackgroundProcess Start(string part, IReadOnlyList<string> command, int port, IReadOnlyDictionary<string, string>? environment = null) =>
        BackgroundProcess.Start(new Launch
        {
            Name = part,
            Command = command,
            LogFile = LogFile(part),
            RecordFile = RecordFile(part),
            WorkingFolder = "/",
            Address = $"{StackEndpoint.Host}:{port}",
            Environment = environment ?? new Dictionary<string, string>(),
            // an operator's settings for the machine's own instances
            HiddenEnvironment = ["PG", "RABBITMQ_", "ERL_", "REDIS", "MATRIX"],
        });

    /// <summary>
    /// The part as a container: <c>docker run</c> in the foreground passes signals on and ends with the container. Data is in a named
    /// volume.
    /// </summary>
    public async Task<BackgroundProcess> StartContainer(string part, string image, int port, int innerPort, string? volumePath,
        IReadOnlyList<string> environment, IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var name = $"matrix-{State.Id}-{part}";
        await Shell.Succeeds([Docker!, "rm", "-f", name], ct);
        Options.Report(part, $"starting the container {image}");
        return Start(part,
            [
                Docker!, "run", "--rm", "--name", name, "-p", $"{StackEndpoint.Host}:{port}:{innerPort}",
                .. volumePath is null ? Array.Empty<string>() : ["-v", $"{name}:{volumePath}"],
                .. environment.SelectMany(variable => new[] { "-e", variable }),
                image, .. arguments,
            ], port);
    }

    /// <summary>
    /// Asks <paramref name="answers"/> again and again until it is true; an exception tells why a part that has ended did.
    /// </summary>
    public async Task WaitUntil(string part, BackgroundProcess process, TimeSpan limit, Func<Task<bool>> answers, CancellationToken ct)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(limit);
        try
        {
            while (!await answers())
            {
                if (process.HasEnded) throw new StackException($"{part} ended with code {process.ExitCode} while starting: {LogTail(part)}");
                await Task.Delay(TimeSpan.FromMilliseconds(30), limited.Token);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new StackException($"{part} did not answer within {limit.TotalSeconds:0} seconds: {LogTail(part)}");
        }
    }

    string LogTail(string part)
    {
        var lines = File.Exists(LogFile(part)) ? File.ReadLines(LogFile(part)).TakeLast(5) : [];
        return $"see {LogFile(part)}\n" + string.Join('\n', lines);
    }
}
