using System.CommandLine;
using Matrix.Ctl.Running;
using Matrix.LocalStack;

namespace Matrix.Ctl.Commands;

/// <summary>
/// <c>matrixctl restart SERVICE</c>: its replicas, one after the other; each stops gracefully and its successor answers before the
/// next.
/// </summary>
static class RestartCommand
{
    public static Command Create()
    {
        var data = DataOption.Create();
        var json = JsonOption.Create();
        var service = new Argument<string>("service")
        {
            Description = "A service such as client-api, or one of its processes such as client-api-2.",
        };
        var command = new Command("restart", "Restarts a service, one process at a time.") { service, data, json };
        command.SetAction((result, ct) => Run(result.GetFolder(data), result.GetValue(service)!, result.GetValue(json), ct));
        return command;
    }

    static async Task<int> Run(string folder, string service, bool asJson, CancellationToken ct)
    {
        if (ServerState.Find(folder) is not { } server || !server.Supervisor.IsAlive) throw new StackException($"No server runs in {folder}.");
        await Steps.Print(asJson, step => ControlPort.Request(server, $"restart {service}", step, ct));
        return 0;
    }
}
