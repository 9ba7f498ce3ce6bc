namespace Matrix.LocalStack;

/// <summary>
/// Private PostgreSQL, RabbitMQ and Redis on the loopback, with their data in one folder. See README.md for what holds.
/// </summary>
public sealed class PrivateStack : IAsyncDisposable
{
    // SIGINT is Postgres' fast shutdown: its clients are disconnected; SIGTERM would wait for them to leave
    static readonly TimeSpan PostgresGrace = TimeSpan.FromSeconds(30), Grace = TimeSpan.FromSeconds(10);

    readonly FileStream folderLock;
    readonly CancellationTokenSource stopping;
    readonly string dataFolder;
    Func<Task<BackgroundProcess>>? startPostgres, startRedis;
    Func<Task<IReadOnlyList<BackgroundProcess>>>? startRabbitMq;
    Task<BackgroundProcess>? postgres, redis;
    Task<IReadOnlyList<BackgroundProcess>>? rabbitMq;

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
            startPostgres = () => Reported(PostgresPart.Name, new PostgresPart(context).Start(Postgres, ct));
            postgres = startPostgres();
        }
        if (options.RabbitMq)
        {
            RabbitMq = new(state.Ports.RabbitMq, RabbitMqPart.User, state.Password);
            startRabbitMq = () => Reported(RabbitMqPart.Name, new RabbitMqPart(context).Start(RabbitMq, ct));
            rabbitMq = startRabbitMq();
        }
        if (options.Redis)
        {
            Redis = new(state.Ports.Redis, RedisPart.User, state.Password);
            startRedis = () => Reported(RedisPart.Name, new RedisPart(context).Start(Redis, ct));
            redis = startRedis();
        }

        async Task<T> Reported<T>(string part, Task<T> start)
        {
            var started = await start;
            options.Report(part, "ready");
            return started;
        }
    }

    /// <summary>Starts a part again whenever it has ended by itself, until <paramref name="ct"/>. Call it once.</summary>
    public Task KeepRunning(Action<string, string> report, CancellationToken ct) => Task.WhenAll(
        KeepRunning(PostgresPart.Name, async () => [await postgres!], () => postgres = startPostgres!(), postgres is not null, report, ct),
        KeepRunning(RabbitMqPart.Name, () => rabbitMq!, () => rabbitMq = startRabbitMq!(), rabbitMq is not null, report, ct),
        KeepRunning(RedisPart.Name, async () => [await redis!], () => redis = startRedis!(), redis is not null, report, ct));

    async Task KeepRunning(string part, Func<Task<IReadOnlyList<BackgroundProcess>>> running, Func<Task> start, bool isWanted,
        Action<string, string> report, CancellationToken ct)
    {
        while (isWanted && !ct.IsCancellationRequested)
        {
            try
            {
                await await Task.WhenAny((await running().WaitAsync(ct)).Select(process => process.Ended(ct)));
                report(part, "ended by itself");
            }
            catch (StackException e)
            {
                report(part, e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            // what is left of it (of RabbitMQ the port mapper), and room for a part that ends again and again
            await StopRecorded(part, dataFolder, CancellationToken.None);
            await Task.Delay(TimeSpan.FromSeconds(1), ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ct.IsCancellationRequested) _ = start();
        }
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

    /// <summary>Where the parts are that run from a data folder; null for those that do not.</summary>
    public static (StackEndpoint? Postgres, StackEndpoint? RabbitMq, StackEndpoint? Redis) FindEndpoints(string dataFolder)
    {
        if (StackState.Find(dataFolder) is not { } state) return default;
        return (Find(PostgresPart.Name, state.Ports.Postgres, PostgresPart.User), Find(RabbitMqPart.Name, state.Ports.RabbitMq, RabbitMqPart.User),
            Find(RedisPart.Name, state.Ports.Redis, RedisPart.User));

        StackEndpoint? Find(string part, int port, string user) => File.Exists(RecordFile(dataFolder, part)) ? new(port, user, state.Password) : null;
    }

    /// <summary>One of Postgres' own programs, such as pg_dump.</summary>
    public static string FindPostgresProgram(string name) => Programs.Find(null).PostgresFolder is { } folder && File.Exists(Path.Combine(folder, name))
        ? Path.Combine(folder, name)
        : throw new StackException($"{name} is not on this machine; it comes with Postgres.");

    /// <summary>Stops the parts that an earlier run started in this folder and left.</summary>
    public static Task StopRecorded(string dataFolder, CancellationToken ct) =>
        Task.WhenAll(new[] { PostgresPart.Name, RabbitMqPart.Name, RedisPart.Name }.Select(part => StopRecorded(part, dataFolder, ct)));

    /// <summary>Was a server, or its parts, started in this folder?</summary>
    public static bool IsDataFolder(string dataFolder) => StackState.Find(dataFolder) is not null;

    /// <summary>Removes a data folder that nobody uses, and what of it is kept elsewhere.</summary>
    public static async Task Remove(string dataFolder, CancellationToken ct)
    {
        await StopRecorded(dataFolder, ct);
        if (StackState.Find(dataFolder) is { PartsFolder: not "" } state && Directory.Exists(state.PartsFolder))
            Directory.Delete(state.PartsFolder, recursive: true);
        if (Directory.Exists(dataFolder)) Directory.Delete(dataFolder, recursive: true);
    }

    static async Task StopRecorded(string part, string dataFolder, CancellationToken ct)
    {
        var isPostgres = part == PostgresPart.Name;
        await BackgroundProcess.StopRecorded(RecordFile(dataFolder, part), isPostgres ? PostgresGrace : Grace, ct, isPostgres ? StopManner.Interrupt : StopManner.Terminate);
        if (part == RabbitMqPart.Name) await BackgroundProcess.StopRecorded(RecordFile(dataFolder, RabbitMqPart.EpmdName), Grace, ct);
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
