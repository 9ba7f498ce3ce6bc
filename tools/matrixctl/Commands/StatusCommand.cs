using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Matrix.Ctl.Running;
using Matrix.LocalStack;
using Matrix.Storage;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl status</c>: every process of a server, whether it lives and answers. Ends with 0 only when all do.</summary>
static class StatusCommand
{
    public static Command Create()
    {
        var data = DataOption.Create();
        var json = JsonOption.Create();
        var command = new Command("status", "Shows the processes of a server and whether they answer.") { data, json };
        command.SetAction((result, ct) => Run(result.GetFolder(data), result.GetValue(json), ct));
        return command;
    }

    static async Task<int> Run(string folder, bool asJson, CancellationToken ct)
    {
        if (ServerState.Find(folder) is not { } server)
        {
            if (asJson) Console.Out.WriteLine("""{"running":false}""");
            else AnsiConsole.MarkupLineInterpolated($"[yellow]Nothing runs in {folder}.[/]");
            return 3;
        }
        var rows = await Task.WhenAll(ServerState.Processes(folder).Select(record => Look(record, server, ct)));
        var isUp = server.IsRunning && rows.All(row => row.IsWell)
            && server.Replicas.All(replica => rows.Any(row => row.Record.Name == replica.Name));
        if (asJson)
        {
            Console.Out.WriteLine(InJson(server, rows, isUp).ToJsonString());
            return isUp && server.Supervisor.IsAlive ? 0 : 1;
        }
        var table = new Table().Border(TableBorder.None).AddColumns("process", "state", "pid", "address", "memory", "up since");
        foreach (var row in rows)
        {
            table.AddRow(new Text(row.Record.Name), new Markup(row.IsWell ? $"[green]{row.State}[/]" : $"[red]{row.State}[/]"),
                new Text(row.Record.Process.Pid.ToString(CultureInfo.InvariantCulture)), new Text(row.Record.Address ?? ""), new Text(InMiB(row.Memory)),
                new Text(row.Record.StartedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)));
        }
        AnsiConsole.Write(table);
        if (!server.Supervisor.IsAlive)
            AnsiConsole.MarkupLine("[red]Nobody looks after these processes; 'matrixctl up' starts anew, 'matrixctl down' stops them.[/]");
        var own = rows.Where(row =>
            row.Record.Name == DetachedServer.RecordName || server.Replicas.Any(replica => replica.Name == row.Record.Name));
        AnsiConsole.WriteLine($"Memory of the homeserver's own processes: {InMiB(own.Sum(row => row.Memory))}");
        AnsiConsole.MarkupLineInterpolated($"{server.ServerName} at {server.Url}: {(isUp ? "all green" : "not all is well")}");
        return isUp && server.Supervisor.IsAlive ? 0 : 1;
    }

    static JsonObject InJson(ServerState server, Row[] rows, bool isUp) => new()
    {
        ["running"] = true,
        ["well"] = isUp && server.Supervisor.IsAlive,
        ["server_name"] = server.ServerName,
        ["url"] = server.Url,
        ["release"] = SchemaWindow.Program,
        ["processes"] = new JsonArray([.. rows.Select(row => new JsonObject
        {
            ["name"] = row.Record.Name, ["state"] = row.State, ["well"] = row.IsWell, ["pid"] = row.Record.Process.Pid, ["address"] = row.Record.Address,
            ["memory_bytes"] = row.Memory, ["up_since"] = row.Record.StartedAt.ToString("O", CultureInfo.InvariantCulture),
        })]),
    };

    static async Task<Row> Look(RunRecord record, ServerState server, CancellationToken ct)
    {
        if (!record.Process.IsAlive) return new(record, "ended", false, 0);
        var memory = ProcessMemory.Share(record.Process.Pid);
        if (server.Replicas.FirstOrDefault(replica => replica.Name == record.Name) is { } service)
            return await Replica.IsReady(service.Url, ct) ? new(record, "ready", true, memory) : new(record, "not ready", false, memory);
        if (record.Address is null) return new(record, "runs", true, memory);
        return await Accepts(record.Address, ct) ? new(record, "answers", true, memory) : new(record, "does not answer", false, memory);
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

    sealed record Row(RunRecord Record, string State, bool IsWell, long Memory);
}
