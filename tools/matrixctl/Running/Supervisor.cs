using Matrix.Ctl.Configuration;
using Matrix.LocalStack;

namespace Matrix.Ctl.Running;

/// <summary>Starts a server from a data folder, keeps its processes running, and stops them in order.</summary>
sealed class Supervisor(UpOptions options, StartProgress progress, TimeProvider time) : IAsyncDisposable
{
    static readonly TimeSpan LeftoverGrace = TimeSpan.FromSeconds(20), OtherMistakes = TimeSpan.FromSeconds(3);
    readonly CancellationTokenSource stopping = new();
    readonly ControlPort control = new();
    PrivateStack? stack;
    IReadOnlyList<Replica> replicas = [];
    List<Task> running = [];
    ServerState? state;

    /// <summary>Returns when every process answers.</summary>
    public async Task<ServerState> Start(CancellationToken ct)
    {
        if (options is { AllInOne: true, TlsPort: not null })
            throw new StackException("--tls-port is the gateway's, which --all-in-one does without.");
        var folder = options.DataFolder;
        var config = PrepareConfig();
        stack = await PrivateStack.Begin(new StackOptions
        {
            DataFolder = folder,
            Postgres = !config.NamesDatabase,
            RabbitMq = !config.NamesRabbitMq && !options.AllInOne,
            Redis = !config.NamesRedis && !options.AllInOne,
            Report = progress.Report,
        }, ct);
        // after the lock of the stack was taken: what still runs here is nobody's any more
        await StopLeftServices(folder, ct);
        RefuseTakenPorts();

        var plans = ServicePlan.Create(options, config, stack);
        state = new(config.ServerName, options.LocalUrl, options.LocalTlsUrl, config.Path, ProcessIdentity.Current, control.Port, control.Token,
            IsRunning: false, Failure: null, [.. plans.Select(plan => new ReplicaState(plan.Name, plan.Service.Name, plan.Url))]);
        state.Write(folder);

        // the services need the database to start at all; the others they find when they come up
        await stack.PostgresReady.WaitAsync(ct);
        replicas = [.. plans.Select(plan => new Replica(plan, folder, progress.Report, time))];
        foreach (var replica in replicas) progress.Report(replica.Plan.Name, "starting");
        running = [.. replicas.Select(replica => replica.Run(stopping.Token)), stack.KeepRunning(progress.Report, stopping.Token),
            control.Serve(Restart, stopping.Token)];
        await AllReady([stack.RabbitMqReady, stack.RedisReady, .. replicas.Select(replica => replica.Ready)], config.Path).WaitAsync(ct);

        state = state with { IsRunning = true };
        state.Write(folder);
        return state;
    }

    /// <summary>Stops everything that was started, and only that.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        foreach (var task in running) await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (state is not null) ServerState.Remove(options.DataFolder);
        if (stack is not null) await stack.DisposeAsync();
        control.Dispose();
        stopping.Dispose();
    }

    /// <summary>One replica after the other, so that a service with two never stops answering.</summary>
    async Task Restart(string service, Action<string> report, CancellationToken ct)
    {
        var chosen = replicas.Where(replica => replica.Plan.Service.Name == service || replica.Plan.Name == service).ToList();
        if (chosen.Count == 0)
        {
            var known = string.Join(", ", replicas.Select(replica => replica.Plan.Service.Name).Distinct().Order());
            throw new StackException($"No service '{service}' runs here; these do: {known}.");
        }
        foreach (var replica in chosen)
        {
            report($"{replica.Plan.Name}: restarting");
            await replica.Restart(ct);
            report($"{replica.Plan.Name}: ready");
        }
    }

    ServerConfig PrepareConfig()
    {
        var path = Path.GetFullPath(options.ConfigPath ?? Path.Combine(options.DataFolder, "homeserver.yaml"));
        if (!File.Exists(path))
        {
            if (options.ConfigPath is not null) throw new StackException($"{path} is not there; 'matrixctl generate-config' writes one.");
            HomeserverFile.Create(path, options.ServerName ?? "localhost", reportStats: false, options.DataFolder);
            progress.Report("configuration", $"wrote {path}");
        }
        var config = ServerConfig.Read(path);
        return options.ServerName is null || options.ServerName == config.ServerName
            ? config
            : throw new StackException(
                $"{path} belongs to {config.ServerName}, not {options.ServerName}: take another --data folder for another server.");
    }

    void RefuseTakenPorts()
    {
        foreach (var (port, name) in new[] { (options.Port, "--port"), (options.TlsPort ?? 0, "--tls-port") })
        {
            if (port != 0 && !FreePort.IsFree(port))
                throw new StackException($"Port {port} is taken by another program: choose another with {name}.");
        }
    }

    /// <summary>Services outlive a killed supervisor; the next one, or <c>matrixctl down</c>, stops them.</summary>
    public static Task StopLeftServices(string dataFolder, CancellationToken ct)
    {
        var services = ServiceKind.Workers.Append(ServiceKind.Gateway).Append(ServiceKind.AllInOne).Select(service => service.Name).ToList();
        return Task.WhenAll(ServerState.Processes(dataFolder)
            .Where(record => services.Any(service => record.Name == service || record.Name.StartsWith(service + "-", StringComparison.Ordinal)))
            .Select(record => BackgroundProcess.StopRecorded(PrivateStack.RecordFile(dataFolder, record.Name), LeftoverGrace, ct)));
    }

    /// <summary>
    /// The first failure ends the wait, except that each service may have other mistakes to tell of in the one configuration.
    /// </summary>
    static async Task AllReady(IReadOnlyList<Task> starts, string configPath)
    {
        try
        {
            await foreach (var done in Task.WhenEach(starts)) await done;
        }
        catch (BadConfigurationException)
        {
            await Task.WhenAll(starts).WaitAsync(OtherMistakes).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var mistakes = starts.Where(start => start.IsFaulted).SelectMany(start => start.Exception!.InnerExceptions)
                .OfType<BadConfigurationException>().SelectMany(bad => bad.Mistakes).Distinct();
            throw new StackException($"{configPath} cannot be used:\n{string.Join('\n', mistakes)}");
        }
    }
}
