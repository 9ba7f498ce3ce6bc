using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Matrix.Ctl.Configuration;
using Matrix.Ctl.Running;
using Matrix.Hosting.Configuration;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl config check</c>: lets every service look at a configuration, as it would at its start, and shows what they say.</summary>
static class ConfigCommand
{
    static readonly Argument<string> path = new("file")
    {
        Description = "homeserver.yaml",
        DefaultValueFactory = _ => "./data/homeserver.yaml",
    };
    static readonly Option<bool> json = JsonOption.Create();

    public static Command Create()
    {
        var check = new Command("check", "Says whether the services can use a configuration.") { path, json };
        check.SetAction(Check);
        return new Command("config", "Deals with configuration files.") { check };
    }

    static async Task<int> Check(ParseResult result, CancellationToken ct)
    {
        var file = Path.GetFullPath(result.GetValue(path)!);
        var unreadable = ServerConfig.FindMistakes(file); // all services would say no more than this
        var services = unreadable.Count > 0 ? [] : ServiceKind.Workers.Append(ServiceKind.Gateway);
        var said = await Task.WhenAll(services.Select(service => Ask(service, file, ct)));
        var mistakes = unreadable.Concat(said.SelectMany(one => one.Mistakes)).Distinct().ToList();
        var unknown = said.Take(1).SelectMany(one => one.Unread.Keys).Where(key => said.All(one => one.Unread.ContainsKey(key)))
            .Select(key => (Key: key, Like: said.Select(one => one.Unread[key]).FirstOrDefault(like => like.Length > 0))).ToList();
        if (result.GetValue(json))
        {
            Steps.PrintJson(new JsonObject
            {
                ["mistakes"] = new JsonArray([.. mistakes.Select(mistake => (JsonNode)mistake)]),
                ["unknown"] = new JsonArray([.. unknown.Select(one => new JsonObject { ["key"] = one.Key, ["like"] = one.Like })]),
            });
            return mistakes.Count == 0 ? 0 : 1;
        }
        foreach (var (key, like) in unknown)
            AnsiConsole.MarkupLineInterpolated($"[yellow]{key}: no service knows this key, and it is ignored.{(like is null ? "" : $" Is {like} meant?")}[/]");
        foreach (var mistake in mistakes) AnsiConsole.MarkupLineInterpolated($"[red]{mistake}[/]");
        if (mistakes.Count == 0) AnsiConsole.MarkupLineInterpolated($"[green]{file} can be used.[/]");
        return mistakes.Count == 0 ? 0 : 1;
    }

    /// <returns>What cannot be used, and which keys the service has not asked for, with the one that may have been meant.</returns>
    static async Task<(IReadOnlyList<string> Mistakes, IReadOnlyDictionary<string, string> Unread)> Ask(ServiceKind service, string file, CancellationToken ct)
    {
        var start = new ProcessStartInfo(service.Command[0], [.. service.Command.Skip(1), "--check-config"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["MATRIX_CONFIG"] = file;
        // which the file need not say: 'matrixctl up' and the chart do
        if (service == ServiceKind.Gateway) start.Environment.TryAdd("MATRIX__gateway__clusters__client-api__0", "http://127.0.0.1:8080");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(ct);
        var output = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        var unread = output.Split('\n').Where(line => line.StartsWith(UnreadKeys.Mark, StringComparison.Ordinal))
            .Select(line => line[UnreadKeys.Mark.Length..].Split('\t')).ToDictionary(parts => parts[0], parts => parts[1]);
        if (process.ExitCode == 0) return ([], unread);
        var lines = (await error).Split('\n').Where(line => line.StartsWith("  - ", StringComparison.Ordinal)).Select(line => line[4..].TrimEnd()).ToList();
        return (lines.Count > 0 ? lines : [$"{service.Name} ended with code {process.ExitCode}: {output}{await error}"], unread);
    }
}
