using System.CommandLine;
using Matrix.Ctl.Running;
using Matrix.LocalStack;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl down</c>: stops the server of a data folder, and everything else that was started for it.</summary>
static class DownCommand
{
    public static Command Create()
    {
        var data = DataOption.Create();
        var command = new Command("down", "Stops a server.") { data };
        command.SetAction((result, ct) => Run(result.GetFolder(data), ct));
        return command;
    }

    static async Task<int> Run(string folder, CancellationToken ct)
    {
        var server = ServerState.Find(folder);
        var processes = ServerState.Processes(folder).ToList();
        if (server is null && processes.Count == 0)
        {
            AnsiConsole.MarkupLineInterpolated($"Nothing runs in {folder}.");
            return 0;
        }
        // the supervisor stops what it started; a start that is still under way has only its record yet
        var supervisor = server?.Supervisor ?? processes.FirstOrDefault(record => record.Name == DetachedServer.RecordName)?.Process;
        if (supervisor is { IsAlive: true } alive)
        {
            AnsiConsole.WriteLine("Stopping…");
            await alive.Stop(DetachedServer.StopLimit, ct);
        }
        // what a killed supervisor left
        await Supervisor.StopLeftServices(folder, ct);
        await PrivateStack.StopRecorded(folder, ct);
        File.Delete(PrivateStack.RecordFile(folder, DetachedServer.RecordName));
        ServerState.Remove(folder);
        AnsiConsole.WriteLine("Stopped.");
        return 0;
    }
}
