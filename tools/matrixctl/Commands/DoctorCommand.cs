using System.CommandLine;
using System.Text.Json;
using DnsClient;
using Matrix.Ctl.Configuration;
using Matrix.Ctl.Doctor;
using Matrix.Ctl.Running;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary>
/// <c>matrixctl doctor</c>: asks the server, its name and what it stands on, and says plainly what is wrong and what to do. Ends with 1 when something is.
/// </summary>
static class DoctorCommand
{
    static readonly Option<string> data = DataOption.Create();
    static readonly Option<string?> configPath = new("--config-path") { Description = "homeserver.yaml; of the data folder's server when left out." };
    static readonly Option<string?> url = new("--url") { Description = "Where the gateway answers; that of the data folder's server when left out." };
    static readonly Option<string?> serverName = new("--server-name") { Description = "The server's name; of the configuration when left out." };
    static readonly Option<bool> inside = new("--inside") { Description = "Does not look for it from outside, by its name." };
    static readonly Option<bool> json = JsonOption.Create();

    public static Command Create()
    {
        var command = new Command("doctor", "Finds out what is wrong with a server, and says what to do.") { data, configPath, url, serverName, inside, json };
        command.SetAction(Run);
        return command;
    }

    static async Task<int> Run(ParseResult result, CancellationToken ct)
    {
        var folder = result.GetFolder(data);
        var running = ServerState.Find(folder);
        var path = result.GetValue(configPath) ?? running?.ConfigPath;
        var config = path is not null || Environment.GetEnvironmentVariable("MATRIX_CONFIG") is { Length: > 0 } ? ServerConfig.ReadOrEnvironment(path) : null;
        var name = result.GetValue(serverName) ?? config?.ServerName;
        var speaksTls = config is null || config.ListensWithTls || running?.TlsUrl is not null;
        using var times = new HostTimes(new SocketsHttpHandler(), TimeProvider.System);
        using var http = new HttpClient(times) { Timeout = TimeSpan.FromSeconds(10) };

        var findings = new List<Finding>();
        if ((result.GetValue(url) ?? running?.Url ?? config?.PublicBaseUrl) is { } address)
            findings.AddRange(await new ServerChecks(http, new Uri(address.TrimEnd('/') + "/"), name, TimeProvider.System).Run(ct));
        if (config is not null) findings.AddRange(await new BackendChecks(config.WithPrivateParts(folder), TimeProvider.System).Run(ct));
        if (name is not null && !result.GetValue(inside)) findings.AddRange(await new NameChecks(http, new LookupClient(), name, TimeProvider.System, speaksTls).Run(ct));
        if (findings.Count > 0) findings.AddRange([ClockChecks.Kernel(), .. ClockChecks.Compare(times)]);
        else if (File.Exists(Path.Combine(folder, "homeserver.yaml")))
            findings.Add(Finding.Bad("server", $"nothing runs in {folder}", $"'matrixctl up' starts it. If it has ended by itself, {Path.Combine(folder, "logs")} may say why."));
        else findings.Add(Finding.Bad("doctor", "There is nothing to look at", "Name a server by --url, --config-path or --data."));

        if (result.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(findings, FindingJson.Default.IReadOnlyListFinding));
        else foreach (var finding in findings) Show(finding);
        return findings.Any(finding => finding.Verdict == Verdict.Bad) ? 1 : 0;
    }

    static void Show(Finding finding)
    {
        var (colour, word) = finding.Verdict switch { Verdict.Well => ("green", "ok"), Verdict.Note => ("blue", "note"), Verdict.Warning => ("yellow", "warning"), _ => ("red", "wrong") };
        AnsiConsole.MarkupLine($"[{colour}]{word,-8}[/]{Markup.Escape(finding.Check)}: {Markup.Escape(finding.Found)}");
        if (finding.Advice is { } advice) AnsiConsole.MarkupLineInterpolated($"        {advice}");
    }
}
