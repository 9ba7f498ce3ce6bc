using System.CommandLine;
using Matrix.Ctl.Running;
using Matrix.LocalStack;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl down</c>: stops the server of a data folder, and everything else that was started for it.</summary>
static class DownCommand
{
    public static Command Create()
    {
        var data = DataOption.Create();
        var delete = new Option<bool>("--delete-data") { Description = "Then removes the data folder, the signing key in it, and what private services keep elsewhere." };
        var json = JsonOption.Create();
        var command = new Command("down", "Stops a server.") { data, delete, json };
        command.SetAction((result, ct) => Run(result.GetFolder(data), result.GetValue(delete), result.GetValue(json), ct));
        return command;
    }

    static async Task<int> Run(string folder, bool delete, bool asJson, CancellationToken ct)
    {
        // else a folder that was named by mistake would be gone
        if (delete && !PrivateStack.IsDataFolder(folder)) throw new StackException($"{folder} is no data folder of a server that 'matrixctl up' has started, and is left as it is.");
        await Steps.Print(asJson, async step =>
        {
            await Stop(folder, step, ct);
            if (!delete) return;
            await PrivateStack.Remove(folder, ct);
            step($"Removed {folder}.");
        });
        return 0;
    }

    static async Task Stop(string folder, Action<string> step, CancellationToken ct)
    {
        var server = ServerState.Find(folder);
        var processes = ServerState.Processes(folder).ToList();
        if (server is null && processes.Count == 0)
        {
            step($"Nothing runs in {folder}.");
            return;
        }
        // the supervisor stops what it started; a start that is still under way has only its record yet
        var supervisor = server?.Supervisor ?? processes.FirstOrDefault(record => record.Name == DetachedServer.RecordName)?.Process;
        if (supervisor is { IsAlive: true } alive)
        {
            step("Stopping…");
            await alive.Stop(DetachedServer.StopLimit, ct);
        }
        // what a killed supervisor left
        await Supervisor.StopLeftServices(folder, ct);
        await PrivateStack.StopRecorded(folder, ct);
        File.Delete(PrivateStack.RecordFile(folder, DetachedServer.RecordName));
        ServerState.Remove(folder);
        step("Stopped.");
    }
}
