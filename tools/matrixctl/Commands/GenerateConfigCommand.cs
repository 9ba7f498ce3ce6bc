using System.CommandLine;
using System.Text.Json.Nodes;
using Matrix.Ctl.Configuration;
using Matrix.LocalStack;
using Matrix.Protocol;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary>
/// <c>matrixctl generate-config --server-name NAME --config-path FILE --report-stats=yes|no</c>: a commented file and a signing key.
/// </summary>
static class GenerateConfigCommand
{
    static readonly Option<string> serverName = new("--server-name", "-H")
    {
        Required = true,
        Description = "The name behind the colon of user ids. It can never be changed.",
    };
    static readonly Option<string> configPath = new("--config-path", "-c")
    {
        Required = true,
        Description = "The file to write. One that is there is left alone.",
    };
    static readonly Option<string> reportStats = new("--report-stats")
    {
        Required = true,
        Description = "Whether statistics may be reported: yes or no.",
    };
    static readonly Option<string?> data = new("--data", "--data-directory")
    {
        Description = "Where media is stored; the file's folder when left out.",
    };

    static readonly Option<bool> json = JsonOption.Create();

    public static Command Create()
    {
        reportStats.AcceptOnlyFromAmong("yes", "no");
        var command = new Command("generate-config", "Writes a configuration file and a signing key, and never overwrites either.")
        {
            serverName, configPath, reportStats, data, json,
        };
        command.SetAction(Run);
        return command;
    }

    static int Run(ParseResult result)
    {
        var name = result.GetValue(serverName)!;
        var path = Path.GetFullPath(result.GetValue(configPath)!);
        if (!ServerName.TryParse(name, null, out _))
            throw new StackException($"'{name}' is not a server name such as example.org or example.org:8448.");
        if (File.Exists(path)) throw new StackException($"{path} is there already and was left as it is.");
        var folder = Path.GetFullPath(result.GetValue(data) ?? Path.GetDirectoryName(path)!);
        List<string> files = [.. HomeserverFile.Create(path, name, result.GetValue(reportStats) == "yes", folder)];
        if (result.GetValue(json)) Steps.PrintJson(new JsonObject { ["files"] = new JsonArray([.. files.Select(file => (JsonNode)file)]) });
        else files.ForEach(file => AnsiConsole.WriteLine($"Wrote {file}"));
        return 0;
    }
}
