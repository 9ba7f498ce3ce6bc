using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Matrix.Ctl.Configuration;
using Matrix.Ctl.Running;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl config check</c>: lets every service look at a configuration, as it would at its start, and shows what they say.</summary>
static class ConfigCommand
{
    static readonly Argument<string> path = new("file") { Description = "homeserver.yaml" };
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
        _ = ServerConfig.Read(file).ServerName;
        var services = ServiceKind.Workers.Append(ServiceKind.Gateway).ToList();
        var mistakes = (await Task.WhenAll(services.Select(service => Ask(service, file, ct)))).SelectMany(said => said).Distinct().ToList();
        if (result.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(mistakes));
        else if (mistakes.Count == 0) AnsiConsole.MarkupLineInterpolated($"[green]{file} can be used.[/]");
        else foreach (var mistake in mistakes) AnsiConsole.MarkupLineInterpolated($"[red]{mistake}[/]");
        return mistakes.Count == 0 ? 0 : 1;
    }

    static async Task<IReadOnlyList<string>> Ask(ServiceKind service, string file, CancellationToken ct)
    {
        var start = new ProcessStartInfo(service.Command[0], [.. service.Command.Skip(1), "--check-config"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["MATRIX_CONFIG"] = file;
        // which the file need not say: 'matrixctl up' and the chart do
        if (service == ServiceKind.Gateway) start.Environment.TryAdd("MATRIX__gateway__clusters__client-api__0", "http://127.0.0.1:8080");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(ct);
        var output = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        if (process.ExitCode == 0) return [];
        var lines = (await error).Split('\n').Where(line => line.StartsWith("  - ", StringComparison.Ordinal)).Select(line => line[4..].TrimEnd()).ToList();
        return lines.Count > 0 ? lines : [$"{service.Name} ended with code {process.ExitCode}: {output}{await error}"];
    }
}
