namespace Matrix.LocalStack;

/// <summary>
/// Private PostgreSQL, RabbitMQ and Redis on the loopback, with their data in one folder. See README.md for what holds.
/// </summary>
public sealed class PrivateStack : IAsyncDisposable
{
    // SIGINT is Postgres' fast shutdown: its clients are disconnected; SIGTERM would wait for them to leave
    static readonly TimeSpan PostgresGrace = TimeSpan.FromSeconds(30), RabbitMqGrace = TimeSpan.FromSeconds(15), Grace = TimeSpan.FromSeconds(5);

    readonly FileStream folderLock;
    readonly CancellationTokenSource stopping;
    readonly string dataFolder;
    Task<BackgroundProcess>? postgres;
    Task<IReadOnlyList<BackgroundProcess>>? rabbitMq;
    Task<BackgroundProcess>? redis;

    PrivateStack(string dataFolder, FileStream folderLock, CancellationToken ct) =>
        (this.dataFolder, this.folderLock, stopping) = (dataFolder, folderLock, CancellationTokenSource.CreateLinkedTokenSource(ct));

    public StackEndpoint? Postgres { get; private set; }
    public StackEndpoint? RabbitMq { get; private set; }
    public StackEndpoint? Redis { get; private set; }

    /// <summary>Complete when the part answers, or at once when it was not asked for; faulted when it did not start.</summary>
    public Task PostgresReady => postgres ?? Task.CompletedTask;

    /// <inheritdoc cref="PostgresReady"/>
    public Task RabbitMqReady => rabbitMq ?? Task.CompletedTask;

    /// <inheritdoc cref="PostgresReady"/>
    public Task RedisReady => redis ?? Task.CompletedTask;

    /// <summary>Where a data folder keeps what is known about a running process of this name.</summary>
    public static string RecordFile(string dataFolder, string name) => Path.Combine(dataFolder, "run", name + ".json");

    /// <summary>Starts the parts and returns when all of them answer.</summary>
    public static async Task<PrivateStack> Start(StackOptions options, CancellationToken ct)
    {
        var stack = await Begin(options, ct);
        try
        {
            await Task.WhenAll(stack.PostgresReady, stack.RabbitMqReady, stack.RedisReady);
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the parts, side by side, and returns when their addresses are settled, which is before they answer.</summary>
    public static async Task<PrivateStack> Begin(StackOptions options, CancellationToken ct)
    {
        options = options with { DataFolder = Path.GetFullPath(options.DataFolder) };
        var folder = options.DataFolder;
        Directory.CreateDirectory(Path.Combine(folder, "logs"));
        Directory.CreateDirectory(Path.Combine(folder, "run"));
        var stack = new PrivateStack(folder, Lock(folder), ct);
        try
        {
            await StopRecorded(folder, ct);
            await stack.Begin(options, StackState.ReadOrCreate(folder));
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    async Task Begin(StackOptions options, StackState state)
    {
        var ct = stopping.Token;
        var account = await Account.Find(ct);
        state = state with { PartsFolder = await account.PlaceParts(dataFolder, state, ct) };
        state.Write(dataFolder);
        if (state.PartsFolder != dataFolder) options.Report("data", $"in {state.PartsFolder}, as Postgres cannot run as root below {dataFolder}");
        var (programs, docker) = await Installer.Provide(options, PostgresPart.DataVersion(state.PartsFolder), ct);
        var context = new PartContext(options, state, programs, docker, account);
        if (options.Postgres)
        {
            Postgres = new(state.Ports.Postgres, PostgresPart.User, state.Password);
            postgres = Reported(PostgresPart.Name, new PostgresPart(context).Start(Postgres, ct));
        }
        if (options.RabbitMq)
        {
            RabbitMq = new(state.Ports.RabbitMq, RabbitMqPart.User, state.Password);
            rabbitMq = Reported(RabbitMqPart.Name, new RabbitMqPart(context).Start(RabbitMq, ct));
        }
        if (options.Redis)
        {
            Redis = new(state.Ports.Redis, RedisPart.User, state.Password);
            redis = Reported(RedisPart.Name, new RedisPart(context).Start(Redis, ct));
        }

        async Task<T> Reported<T>(string part, Task<T> start)
        {
            var started = await start;
            options.Report(part, "ready");
            return started;
        }
    }

    /// <summary>Completes when one of the running parts has ended by itself; says which.</summary>
    public async Task<string> PartEnded(CancellationToken ct)
    {
        var parts = new List<(string Name, BackgroundProcess Process)>();
        if (postgres is not null) parts.Add((PostgresPart.Name, await postgres));
        if (rabbitMq is not null) parts.AddRange((await rabbitMq).Select(process => (RabbitMqPart.Name, process)));
        if (redis is not null) parts.Add((RedisPart.Name, await redis));
        var ended = await Task.WhenAny(parts.Select(async part =>
        {
            await part.Process.Ended(ct);
            return part.Name;
        }));
        return await ended;
    }

    /// <summary>Stops the parts, the processes that an interrupted start left included.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        foreach (var start in new Task?[] { postgres, rabbitMq, redis })
            await (start ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await StopRecorded(dataFolder, CancellationToken.None);
        stopping.Dispose();
        await folderLock.DisposeAsync();
    }

    /// <summary>Stops the parts that an earlier run started in this folder and left.</summary>
    public static Task StopRecorded(string dataFolder, CancellationToken ct) => Task.WhenAll(
        BackgroundProcess.StopRecorded(RecordFile(dataFolder, PostgresPart.Name), PostgresGrace, ct, interrupt: true),
        StopRabbitMq(dataFolder, ct),
        BackgroundProcess.StopRecorded(RecordFile(dataFolder, RedisPart.Name), Grace, ct));

    static async Task StopRabbitMq(string dataFolder, CancellationToken ct)
    {
        await BackgroundProcess.StopRecorded(RecordFile(dataFolder, RabbitMqPart.Name), RabbitMqGrace, ct);
        await BackgroundProcess.StopRecorded(RecordFile(dataFolder, RabbitMqPart.EpmdName), Grace, ct);
    }

    static FileStream Lock(string folder)
    {
        try
        {
            return new FileStream(Path.Combine(folder, "run", "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new StackException($"Something else already runs in {folder}; 'matrixctl status' shows it and 'matrixctl down' stops it.", e);
        }
    }
}
