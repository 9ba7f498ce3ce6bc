using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json.Nodes;
using Matrix.Ctl.Running;
using Matrix.Hosting.Configuration;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary>
/// <c>matrixctl up</c>: sets a server up in a data folder, starts it, and looks after it until Ctrl-C or <c>matrixctl down</c>.
/// </summary>
static class UpCommand
{
    static readonly Option<string> data = DataOption.Create();
    static readonly Option<string?> configPath = new("--config-path")
    {
        Description = "Configuration file; homeserver.yaml in the data folder when left out, written on the first start.",
    };
    static readonly Option<string?> serverName = new("--server-name")
    {
        Description = "Name of a new server, behind the colon of its user ids (localhost).",
    };
    static readonly Option<string> bind = new("--bind")
    {
        Description = "Address to listen on; 0.0.0.0 for all.",
        DefaultValueFactory = _ => "127.0.0.1",
    };
    static readonly Option<int> port = new("--port") { Description = "Port for clients.", DefaultValueFactory = _ => 8008 };
    static readonly Option<int?> tlsPort = new("--tls-port")
    {
        Description = "Port for TLS, such as 8448; with a self-signed certificate unless the configuration names one.",
    };
    static readonly Option<Dictionary<string, int>> replicas = new("--replicas")
    {
        Description = "How many processes of a service, such as client-api=3; may be given several times.",
        AllowMultipleArgumentsPerToken = true,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = ParseReplicas,
    };
    static readonly Option<Dictionary<string, long>> memory = new("--memory")
    {
        Description = "The most memory that each process of a service takes, such as client-api=512M; a part of the machine's when left out.",
        AllowMultipleArgumentsPerToken = true,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = ParseMemory,
    };
    static readonly Option<bool> allInOne = new("--all-in-one")
    {
        Description = "All services in one process, without RabbitMQ and Redis.",
    };
    static readonly Option<bool> openRegistration = new("--open-registration")
    {
        Description = "Lets anybody register, for this run. Not for a server that others can reach.",
    };
    static readonly Option<bool> detach = new("--detach") { Description = "Returns when the server answers and leaves it running." };
    static readonly Option<bool> json = new("--json") { Description = "With --detach: prints JSON, for programs." };
    static readonly Option<bool> supervise = new("--supervise") { Hidden = true };

    public static Command Create()
    {
        var command = new Command("up", "Starts a homeserver, setting it up first where needed.")
        {
            data, configPath, serverName, bind, port, tlsPort, replicas, memory, allInOne, openRegistration, detach, json, supervise,
        };
        command.SetAction((result, _) => Run(result));
        return command;
    }

    static async Task<int> Run(ParseResult result)
    {
        var options = new UpOptions
        {
            DataFolder = result.GetFolder(data),
            ConfigPath = result.GetValue(configPath),
            ServerName = result.GetValue(serverName),
            Bind = result.GetValue(bind)!,
            Port = result.GetValue(port),
            TlsPort = result.GetValue(tlsPort),
            Replicas = result.GetValue(replicas) ?? [],
            Memory = result.GetValue(memory) ?? [],
            AllInOne = result.GetValue(allInOne),
            OpenRegistration = result.GetValue(openRegistration),
        };
        if (ServerState.Find(options.DataFolder) is { IsRunning: true } already && already.Supervisor.IsAlive)
        {
            if (result.GetValue(json)) PrintJson(already);
            else AnsiConsole.MarkupLineInterpolated($"{already.ServerName} already runs at {already.Url}; 'matrixctl down' stops it.");
            return 0;
        }
        using var signals = new StopSignals();
        if (result.GetValue(detach) && !result.GetValue(supervise))
        {
            string[] arguments = [.. result.Tokens.Select(token => token.Value), "--supervise"];
            var started = await DetachedServer.Start(options.DataFolder, arguments, isShown: !result.GetValue(json), signals.Requested);
            if (result.GetValue(json)) PrintJson(started);
            else Announce(options, started);
            return 0;
        }
        return await Supervise(options, isForeground: !result.GetValue(supervise), signals.Requested);
    }

    static async Task<int> Supervise(UpOptions options, bool isForeground, CancellationToken stop)
    {
        var progress = new StartProgress(TimeProvider.System);
        await using (var supervisor = new Supervisor(options, progress, TimeProvider.System))
        {
            var state = await progress.Show(() => supervisor.Start(stop));
            if (isForeground)
            {
                Announce(options, state);
                AnsiConsole.WriteLine("Ctrl-C stops it.");
            }
            await stop.AsTask();
            AnsiConsole.WriteLine("Stopping…");
        }
        AnsiConsole.WriteLine("Stopped.");
        return 0;
    }

    static void PrintJson(ServerState state) => Steps.PrintJson(new JsonObject
    {
        ["running"] = true, ["server_name"] = state.ServerName, ["url"] = state.Url, ["tls_url"] = state.TlsUrl, ["config_path"] = state.ConfigPath,
    });

    static void Announce(UpOptions options, ServerState state)
    {
        var command = $"./matrixctl register-user --data {options.DataFolder} --admin";
        AnsiConsole.WriteLine();
        var tls = state.TlsUrl is { } tlsUrl ? $" and {tlsUrl}" : "";
        AnsiConsole.MarkupLineInterpolated($"[green]{state.ServerName}[/] answers at [bold]{state.Url}[/]{tls}");
        AnsiConsole.MarkupLineInterpolated($"First account:  {command}");
        if (options.OpenRegistration) AnsiConsole.MarkupLine("[yellow]Anybody who reaches it can register.[/]");
    }

    static Dictionary<string, int>? ParseReplicas(ArgumentResult result)
    {
        var parsed = new Dictionary<string, int>();
        foreach (var token in result.Tokens)
        {
            var parts = token.Value.Split('=');
            if (parts.Length != 2 || ServiceKind.Workers.All(service => service.Name != parts[0])
                || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out var count) || count is < 1 or > 100)
            {
                var services = string.Join(", ", ServiceKind.Workers.Select(service => service.Name));
                result.AddError($"'{token.Value}' is not SERVICE=NUMBER with one of {services}.");
                return null;
            }
            parsed[parts[0]] = count;
        }
        return parsed;
    }

    static Dictionary<string, long>? ParseMemory(ArgumentResult result)
    {
        var parsed = new Dictionary<string, long>();
        string[] services = [.. ServiceKind.Workers.Append(ServiceKind.Gateway).Append(ServiceKind.AllInOne).Select(service => service.Name)];
        foreach (var token in result.Tokens)
        {
            var parts = token.Value.Split('=');
            if (parts.Length != 2 || !services.Contains(parts[0]) || !ByteSizes.TryParse(parts[1], out var size) || size < 128 << 20)
            {
                result.AddError($"'{token.Value}' is not SERVICE=SIZE of at least 128M with one of {string.Join(", ", services)}.");
                return null;
            }
            parsed[parts[0]] = size;
        }
        return parsed;
    }
}
