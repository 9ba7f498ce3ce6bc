using System.Net.Sockets;
using System.Text.Json;
using Matrix.Ctl.Configuration;
using Matrix.LocalStack;

namespace Matrix.Ctl.Running;

/// <summary>Starts a server from a data folder, keeps its processes running, and stops them in order.</summary>
sealed class Supervisor(UpOptions options, StartProgress progress, TimeProvider time) : IAsyncDisposable
{
    static readonly TimeSpan LeftoverGrace = TimeSpan.FromSeconds(20), OtherMistakes = TimeSpan.FromSeconds(3), PortGrace = TimeSpan.FromSeconds(5);
    /// <summary>The gateway looks at its list of replicas four times a second.</summary>
    static readonly TimeSpan UntilRead = TimeSpan.FromMilliseconds(600);

    readonly CancellationTokenSource stopping = new();
    readonly ControlPort control = new();
    PrivateStack? stack;
    readonly Lock changing = new();
    IReadOnlyList<ListeningSocket> ports = [];
    ServicePlan? plan;
    List<Replica> replicas = [];
    List<Task> running = [];
    ServerState? state;
    Replica? unlisted; // about to stop

    /// <summary>Returns when every process answers.</summary>
    public async Task<ServerState> Start(CancellationToken ct)
    {
        if (options is { AllInOne: true, TlsPort: not null })
            throw new StackException("--tls-port is the gateway's, which --all-in-one does without. Give it tls_listen and a certificate in homeserver.yaml.");
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
        ports = await OpenPorts(ct);

        plan = new(options, config, stack);
        var plans = plan.Create(ports);
        File.Delete(plan.ClustersFile);
        File.Delete(ServicePlan.LogLevelsFile(folder));
        state = new(config.ServerName, options.LocalUrl, options.LocalTlsUrl, config.Path, ProcessIdentity.Current, control.Port, control.Token,
            IsRunning: false, Failure: null, [.. plans.Select(plan => new ReplicaState(plan.Name, plan.Service.Name, plan.Url))]);
        state.Write(folder);

        // the services need the database to start at all; the others they find when they come up
        await stack.PostgresReady.WaitAsync(ct);
        replicas = [.. plans.Select(plan => new Replica(plan, folder, progress.Report, time))];
        foreach (var replica in replicas) progress.Report(replica.Plan.Name, "starting");
        running = [.. replicas.Select(replica => replica.Run(stopping.Token)), stack.KeepRunning(progress.Report, stopping.Token),
            control.Serve(Restart, Scale, stopping.Token)];
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
        foreach (var port in ports) port.Dispose();
        control.Dispose();
        stopping.Dispose();
    }

    /// <summary>One replica after the other, so that a service with two never stops answering.</summary>
    async Task Restart(string service, Action<string> report, CancellationToken ct)
    {
        var chosen = Running().Where(replica => replica.Plan.Service.Name == service || replica.Plan.Name == service).ToList();
        if (chosen.Count == 0)
        {
            var known = string.Join(", ", Running().Select(replica => replica.Plan.Service.Name).Distinct().Order());
            throw new StackException($"No service '{service}' runs here; these do: {known}.");
        }
        foreach (var replica in chosen)
        {
            report($"{replica.Plan.Name}: restarting");
            await Unlist(replica, ct);
            try
            {
                await replica.Restart(ct);
            }
            finally
            {
                unlisted = null;
                WriteClusters();
            }
            report($"{replica.Plan.Name}: ready");
        }
    }

    /// <summary>
    /// The gateway sends nothing more to the replica, so that no request is on its way when the connections are closed. The only one of its service stays
    /// listed: requests wait for it.
    /// </summary>
    async Task Unlist(Replica replica, CancellationToken ct)
    {
        if (Running().Count(other => other.Plan.Service == replica.Plan.Service) == 1) return;
        unlisted = replica;
        WriteClusters();
        await Task.Delay(UntilRead, time, ct);
    }

    /// <summary>Starts or stops processes of a service until there are so many; the gateway is told, and no request is without one.</summary>
    async Task Scale(string service, int count, Action<string> report, CancellationToken ct)
    {
        var kind = ServiceKind.Workers.FirstOrDefault(worker => worker.Name == service);
        if (kind is null || options.AllInOne)
            throw new StackException($"'{service}' is not one of {string.Join(", ", ServiceKind.Workers.Select(worker => worker.Name))} of a split server.");
        while (true)
        {
            var now = Running().Where(replica => replica.Plan.Service == kind).ToList();
            if (now.Count == count) break;
            if (now.Count < count) await Add(kind, now, report, ct);
            else await Remove(now[^1], report, ct);
            WriteClusters();
            state = state! with { Replicas = [.. Running().Select(replica => new ReplicaState(replica.Plan.Name, replica.Plan.Service.Name, replica.Plan.Url))] };
            state.Write(options.DataFolder);
        }
    }

    async Task Add(ServiceKind kind, List<Replica> now, Action<string> report, CancellationToken ct)
    {
        var number = Enumerable.Range(1, 1000).First(i => now.All(replica => replica.Plan.Name != $"{kind.Name}-{i}"));
        var replica = new Replica(plan!.CreateReplica(kind, $"{kind.Name}-{number}"), options.DataFolder, progress.Report, time);
        report($"{replica.Plan.Name}: starting");
        lock (changing)
        {
            running.Add(replica.Run(stopping.Token));
        }
        await replica.Ready.WaitAsync(ct);
        lock (changing)
        {
            replicas.Add(replica);
        }
        report($"{replica.Plan.Name}: ready");
    }

    async Task Remove(Replica replica, Action<string> report, CancellationToken ct)
    {
        lock (changing)
        {
            replicas.Remove(replica);
        }
        WriteClusters();
        await Task.Delay(UntilRead, time, ct);
        report($"{replica.Plan.Name}: stopping");
        await replica.End();
        report($"{replica.Plan.Name}: stopped");
    }

    void WriteClusters() => AtomicFile.Write(plan!.ClustersFile, JsonSerializer.SerializeToUtf8Bytes(
        Running().Where(replica => replica != unlisted && replica.Plan.Service.HasRoutes && replica.Plan.Service != ServiceKind.Gateway)
            .GroupBy(replica => replica.Plan.Service.Name).ToDictionary(group => group.Key, group => group.Select(replica => replica.Plan.Url).ToList())));

    List<Replica> Running()
    {
        lock (changing)
        {
            return [.. replicas];
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

    /// <summary>Held open by us, so that nobody is refused while the gateway is restarted.</summary>
    async Task<List<ListeningSocket>> OpenPorts(CancellationToken ct)
    {
        var open = new List<ListeningSocket>();
        var began = time.GetTimestamp();
        foreach (var (port, name) in new[] { (options.Port, "--port"), (options.TlsPort ?? 0, "--tls-port") })
        {
            if (port == 0) continue;
            while (true)
            {
                try
                {
                    open.Add(ListeningSocket.Open(options.Bind, port));
                    break;
                }
                catch (SocketException) when (time.GetElapsedTime(began) < PortGrace)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(50), time, ct); // whoever has just ended may still be giving it back
                }
                catch (SocketException)
                {
                    foreach (var socket in open) socket.Dispose();
                    throw new StackException($"Port {port} is taken by another program: choose another with {name}.");
                }
            }
        }
        return open;
    }

    /// <summary>Services outlive a killed supervisor; the next one, or <c>matrixctl down</c>, stops them.</summary>
    public static Task StopLeftServices(string dataFolder, CancellationToken ct)
    {
        var services = ServiceKind.Workers.Append(ServiceKind.Gateway).Append(ServiceKind.AllInOne).Select(service => service.Name).ToList();
        return Task.WhenAll(ServerState.Processes(dataFolder)
            .Where(record => services.Any(service => record.Name == service || record.Name.StartsWith(service + "-", StringComparison.Ordinal)))
            .Select(record => BackgroundProcess.StopRecorded(PrivateStack.RecordFile(dataFolder, record.Name), LeftoverGrace, ct, StopManner.Hurry)));
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
