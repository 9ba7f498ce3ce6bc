using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Ctl.Running;
using Matrix.LocalStack;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl log-level SERVICE CATEGORY LEVEL</c>: what a service logs, without restarting it, until the server's next start.</summary>
static class LogLevelCommand
{
    static readonly string[] s_levels = ["verbose", "debug", "information", "warning", "error", "fatal"];
    static readonly Option<string> s_data = DataOption.Create();
    static readonly Option<bool> s_json = JsonOption.Create();
    static readonly Argument<string?> s_service = new("service") { Arity = ArgumentArity.ZeroOrOne, Description = "Such as client-api; * for all." };
    static readonly Argument<string?> s_category = new("category") { Arity = ArgumentArity.ZeroOrOne, Description = "Such as Matrix.Rooms; * for all." };
    static readonly Argument<string?> s_level = new("level")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "One of verbose, debug, information, warning, error, fatal; configured takes back.",
    };

    public static Command Create()
    {
        var command = new Command("log-level", "Shows or changes what a service logs, while it runs.") { s_service, s_category, s_level, s_data, s_json };
        command.SetAction(Run);
        return command;
    }

    static int Run(ParseResult result)
    {
        var folder = result.GetFolder(s_data);
        if (ServerState.Find(folder) is not { } server || !server.Supervisor.IsAlive) throw new StackException($"No server runs in {folder}.");
        var file = ServicePlan.LogLevelsFile(folder);
        var all = File.Exists(file) ? JsonNode.Parse(File.ReadAllBytes(file))!.AsObject() : [];
        if (result.GetValue(s_service) is { } service)
        {
            if (result.GetValue(s_category) is not { } category || result.GetValue(s_level)?.ToLowerInvariant() is not { } level)
                throw new StackException("A service, a category and a level are needed.");
            Change(server, all, service, category, level);
            AtomicFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(all));
        }
        if (result.GetValue(s_json)) Console.Out.WriteLine(all.ToJsonString());
        else if (all.Count == 0) AnsiConsole.WriteLine("All log as configured.");
        else foreach (var (name, levels) in all) foreach (var (category, level) in levels!.AsObject()) AnsiConsole.WriteLine($"{name}: {category} {level}");
        return 0;
    }

    static void Change(ServerState server, JsonObject all, string service, string category, string level)
    {
        var known = server.Replicas.Select(replica => replica.Service).Distinct().ToList();
        if (service != "*" && !known.Contains(service)) throw new StackException($"No service '{service}' runs here; these do: {string.Join(", ", known)}.");
        if (level == "configured") all[service]?.AsObject().Remove(category);
        else if (!s_levels.Contains(level)) throw new StackException($"'{level}' is not one of {string.Join(", ", s_levels)}, configured.");
        else (all[service] ??= new JsonObject()).AsObject()[category] = level;
        if (all[service] is JsonObject { Count: 0 }) all.Remove(service);
    }
}
