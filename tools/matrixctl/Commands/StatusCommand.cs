using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Matrix.Ctl.Configuration;
using Matrix.Ctl.Running;
using Matrix.LocalStack;
using Matrix.Storage;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary>
/// <c>matrixctl status</c>: every process of a server, whether it lives and answers and how far it is behind the log; the schema, durable followers, and long work in
/// the background. Ends with 0 only when all processes answer.
/// </summary>
static class StatusCommand
{
    static readonly HttpClient s_http = new() { Timeout = TimeSpan.FromSeconds(5) };

    public static Command Create()
    {
        var data = DataOption.Create();
        var json = JsonOption.Create();
        var configPath = new Option<string?>("--config-path") { Description = "homeserver.yaml of a server that was started otherwise: shows what its database says." };
        var command = new Command("status", "Shows the processes of a server and whether they answer, how far they are behind, and work in the background.") { data, configPath, json };
        command.SetAction((result, ct) => result.GetValue(configPath) is { } path
            ? ShowDatabase(ServerConfig.ReadOrEnvironment(path), result.GetValue(json), ct)
            : Run(result.GetFolder(data), result.GetValue(json), ct));
        return command;
    }

    static async Task<int> ShowDatabase(ServerConfig config, bool asJson, CancellationToken ct)
    {
        if (await DatabaseStatus.Find(config.Database, ct) is not { } database) throw new StackException("The database does not answer, or has no schema of a server.");
        if (asJson) Steps.PrintJson(database.InJson());
        else foreach (var line in database.Lines()) AnsiConsole.WriteLine(line);
        return 0;
    }

    static async Task<int> Run(string folder, bool asJson, CancellationToken ct)
    {
        if (ServerState.Find(folder) is not { } server)
        {
            if (asJson) Console.Out.WriteLine("""{"running":false}""");
            else AnsiConsole.MarkupLineInterpolated($"[yellow]Nothing runs in {folder}.[/]");
            return 3;
        }
        var database = File.Exists(server.ConfigPath) ? await DatabaseStatus.Find(ServerConfig.Read(server.ConfigPath).WithPrivateParts(folder).Database, ct) : null;
        var rows = await Task.WhenAll(ServerState.Processes(folder).Select(record => Look(record, server, ct)));
        var isUp = server.IsRunning && rows.All(row => row.IsWell)
            && server.Replicas.All(replica => rows.Any(row => row.Record.Name == replica.Name));
        if (asJson)
        {
            Console.Out.WriteLine(InJson(server, rows, isUp, database).ToJsonString());
            return isUp && server.Supervisor.IsAlive ? 0 : 1;
        }
        var table = new Table().Border(TableBorder.None).AddColumns("process", "state", "pid", "address", "memory", "behind", "up since");
        foreach (var row in rows)
        {
            table.AddRow(new Text(row.Record.Name), new Markup(row.IsWell ? $"[green]{row.State}[/]" : $"[red]{row.State}[/]"),
                new Text(row.Record.Process.Pid.ToString(CultureInfo.InvariantCulture)), new Text(row.Record.Address ?? ""), new Text(InMiB(row.Memory)),
                new Text(row.Behind?.ToString(CultureInfo.InvariantCulture) ?? ""), new Text(row.Record.StartedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)));
        }
        AnsiConsole.Write(table);
        if (!server.Supervisor.IsAlive)
            AnsiConsole.MarkupLine("[red]Nobody looks after these processes; 'matrixctl up' starts anew, 'matrixctl down' stops them.[/]");
        var own = rows.Where(row =>
            row.Record.Name == DetachedServer.RecordName || server.Replicas.Any(replica => replica.Name == row.Record.Name));
        AnsiConsole.WriteLine($"Memory of the homeserver's own processes: {InMiB(own.Sum(row => row.Memory))}");
        foreach (var line in database?.Lines() ?? ["The database that the configuration and this environment name does not answer."]) AnsiConsole.WriteLine(line);
        AnsiConsole.MarkupLineInterpolated($"{server.ServerName} at {server.Url}, release {SchemaWindow.Program}: {(isUp ? "all green" : "not all is well")}");
        return isUp && server.Supervisor.IsAlive ? 0 : 1;
    }

    static JsonObject InJson(ServerState server, Row[] rows, bool isUp, DatabaseStatus? database) => new()
    {
        ["running"] = true,
        ["well"] = isUp && server.Supervisor.IsAlive,
        ["server_name"] = server.ServerName,
        ["url"] = server.Url,
        ["release"] = SchemaWindow.Program,
        ["database"] = database?.InJson(),
        ["processes"] = new JsonArray([.. rows.Select(row => new JsonObject
        {
            ["name"] = row.Record.Name, ["state"] = row.State, ["well"] = row.IsWell, ["pid"] = row.Record.Process.Pid, ["address"] = row.Record.Address,
            ["memory_bytes"] = row.Memory, ["behind"] = row.Behind, ["up_since"] = row.Record.StartedAt.ToString("O", CultureInfo.InvariantCulture),
        })]),
    };

    static async Task<Row> Look(RunRecord record, ServerState server, CancellationToken ct)
    {
        if (!record.Process.IsAlive) return new(record, "ended", false, 0);
        var memory = ProcessMemory.Share(record.Process.Pid);
        if (server.Replicas.FirstOrDefault(replica => replica.Name == record.Name) is { } service)
            return await Replica.IsReady(service.Url, ct) ? new(record, "ready", true, memory, await Behind(service, ct)) : new(record, "not ready", false, memory);
        if (record.Address is null) return new(record, "runs", true, memory);
        return await Accepts(record.Address, ct) ? new(record, "answers", true, memory) : new(record, "does not answer", false, memory);
    }

    /// <summary>How many entries of the log this process has heard of and not applied; null of one that follows no log or does not tell.</summary>
    static async Task<long?> Behind(ReplicaState service, CancellationToken ct)
    {
        if (service.Service is "gateway" or "all-in-one") return null; // which answer to anybody, but not this
        try
        {
            var metrics = await s_http.GetStringAsync(new Uri(service.Url + "/metrics"), ct);
            var line = metrics.Split('\n').FirstOrDefault(line => line.StartsWith("matrix_log_lag{", StringComparison.Ordinal) || line.StartsWith("matrix_log_lag ", StringComparison.Ordinal));
            var value = line?[(line.IndexOf('}', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return value is not null && double.TryParse(value.First(part => part != "matrix_log_lag"), CultureInfo.InvariantCulture, out var behind) ? (long)behind : null;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    static async Task<bool> Accepts(string address, CancellationToken ct)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPEndPoint.Parse(address), ct);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    static string InMiB(long bytes) => $"{bytes / 1024 / 1024} MiB";

    sealed record Row(RunRecord Record, string State, bool IsWell, long Memory, long? Behind = null);
}
