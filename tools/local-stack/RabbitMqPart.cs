using System.Net.Sockets;
using System.Text;

namespace Matrix.LocalStack;

/// <summary>
/// A private RabbitMQ node with a name, a cookie and a port mapper (epmd) of its own. What it stores may be lost at any time, so a node
/// that
/// did not come up is started once more from nothing.
/// </summary>
sealed class RabbitMqPart(PartContext context)
{
    public const string Name = "rabbitmq", EpmdName = "epmd", User = "matrix";
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    string Folder => context.Folder(Name);
    string DatabaseFolder => Path.Combine(Folder, "mnesia");
    string StartedOnce => Path.Combine(Folder, "started");

    public async Task<IReadOnlyList<BackgroundProcess>> Start(StackEndpoint endpoint, CancellationToken ct)
    {
        if (context.Programs.RabbitMqServer is not { } server)
        {
            var container = await context.StartContainer(Name, "rabbitmq:4-alpine", endpoint.Port, 5672, null,
                [$"RABBITMQ_DEFAULT_USER={User}", $"RABBITMQ_DEFAULT_PASS={endpoint.Password}"], [], ct);
            await context.WaitUntil(Name, container, StartLimit, () => Answers(endpoint, ct), ct);
            return [container];
        }
        Directory.CreateDirectory(Folder);
        // a first start that was cut off may have left half a database
        if (!File.Exists(StartedOnce)) Forget();
        await Prepare(endpoint, ct);
        context.Options.Report(Name, "starting");
        var ports = context.State.Ports;
        // started by us, not by the node, so that it is ours to stop
        var epmd = context.Start(EpmdName,
            context.Account.Run([context.Programs.Epmd!, "-port", $"{ports.Epmd}", "-address", "127.0.0.1"]), ports.Epmd);
        var node = context.Start(Name, context.Account.Run([server]), endpoint.Port, Environment(endpoint));
        try
        {
            await context.WaitUntil(Name, node, StartLimit, () => Answers(endpoint, ct), ct);
        }
        catch (StackException) when (File.Exists(StartedOnce))
        {
            context.Options.Report(Name, "starting once more, with nothing stored");
            await node.Stop(TimeSpan.FromSeconds(10), ct);
            Forget();
            await Prepare(endpoint, ct);
            node = context.Start(Name, context.Account.Run([server]), endpoint.Port, Environment(endpoint));
            await context.WaitUntil(Name, node, StartLimit, () => Answers(endpoint, ct), ct);
        }
        await File.WriteAllTextAsync(StartedOnce, "", ct);
        return [epmd, node];
    }

    void Forget()
    {
        if (Directory.Exists(DatabaseFolder)) Directory.Delete(DatabaseFolder, recursive: true);
        File.Delete(StartedOnce);
    }

    async Task Prepare(StackEndpoint endpoint, CancellationToken ct)
    {
        Directory.CreateDirectory(DatabaseFolder);
        AtomicFile.Write(Path.Combine(Folder, "enabled_plugins"), "[].\n"u8);
        AtomicFile.Write(Path.Combine(Folder, "environment.conf"), ""u8);
        AtomicFile.Write(Path.Combine(Folder, "advanced.config"), "[].\n"u8);
        AtomicFile.Write(Path.Combine(Folder, "rabbitmq.conf"), Encoding.UTF8.GetBytes(
            $"""
            listeners.tcp.1 = 127.0.0.1:{endpoint.Port}
            default_user = {User}
            default_pass = {endpoint.Password}
            loopback_users = none
            log.console = false
            log.file.level = warning
            vm_memory_high_watermark.relative = 0.2
            disk_free_limit.absolute = 50MB

            """));
        await context.Account.Own(Folder, ct);
    }

    /// <summary>Every path is named, so that none of the machine's own files under /etc/rabbitmq is read.</summary>
    Dictionary<string, string> Environment(StackEndpoint endpoint) => new()
    {
        ["HOME"] = Folder,
        ["LC_ALL"] = "C.UTF-8",
        // makes the start script become the node instead of waiting beside it
        ["RUNNING_UNDER_SYSTEMD"] = "true",
        ["RABBITMQ_NODENAME"] = "matrix@localhost",
        ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_NODE_PORT"] = $"{endpoint.Port}",
        ["RABBITMQ_DIST_PORT"] = $"{context.State.Ports.RabbitMqDistribution}",
        ["ERL_EPMD_PORT"] = $"{context.State.Ports.Epmd}",
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_MNESIA_BASE"] = DatabaseFolder,
        ["RABBITMQ_LOG_BASE"] = Folder,
        ["RABBITMQ_LOGS"] = Path.Combine(Folder, "node.log"),
        ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(Folder, "environment.conf"),
        ["RABBITMQ_CONFIG_FILE"] = Path.Combine(Folder, "rabbitmq.conf"),
        ["RABBITMQ_CONFIG_FILES"] = Path.Combine(Folder, "conf.d"),
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(Folder, "advanced.config"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(Folder, "enabled_plugins"),
        ["RABBITMQ_PID_FILE"] = Path.Combine(Folder, "node.pid"),
        // two schedulers that sleep instead of spinning: the node idles beside the services
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] =
            "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
    };

    /// <summary>The port opens when the node has booted; it greets a client that speaks AMQP 0-9-1 with a method frame (1).</summary>
    static async Task<bool> Answers(StackEndpoint endpoint, CancellationToken ct)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(StackEndpoint.Host, endpoint.Port, ct);
            var stream = client.GetStream();
            await stream.WriteAsync("AMQP\0\0\u0009\u0001"u8.ToArray(), ct);
            var reply = new byte[1];
            return await stream.ReadAsync(reply, ct) == 1 && reply[0] == 1;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
