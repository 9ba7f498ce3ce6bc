using System.CommandLine;
using System.Globalization;
using Matrix.Ctl.Running;
using Matrix.LocalStack;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl scale SERVICE=NUMBER</c>: more or fewer processes of a service of a server that runs, until its next start.</summary>
static class ScaleCommand
{
    public static Command Create()
    {
        var data = DataOption.Create();
        var json = JsonOption.Create();
        var what = new Argument<string>("service=number") { Description = "Such as client-api=3." };
        what.Validators.Add(result =>
        {
            var parts = (result.Tokens.Count == 1 ? result.Tokens[0].Value : "").Split('=');
            if (parts.Length != 2 || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out var count) || count is < 1 or > 100)
                result.AddError("SERVICE=NUMBER is expected, such as client-api=3, with a number from 1 to 100.");
        });
        var command = new Command("scale", "Starts or stops processes of a service without a request being lost.") { what, data, json };
        command.SetAction((result, ct) => Run(result.GetFolder(data), result.GetValue(what)!, result.GetValue(json), ct));
        return command;
    }

    static async Task<int> Run(string folder, string what, bool asJson, CancellationToken ct)
    {
        if (ServerState.Find(folder) is not { } server || !server.Supervisor.IsAlive) throw new StackException($"No server runs in {folder}.");
        await Steps.Print(asJson, step => ControlPort.Request(server, $"scale {what}", step, ct));
        return 0;
    }
}
