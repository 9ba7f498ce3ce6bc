using System.CommandLine;
using System.Text.Json;
using Matrix.Ctl.Configuration;
using Matrix.Ctl.Running;
using Matrix.LocalStack;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl backup --to FOLDER</c> and <c>matrixctl restore --from FOLDER</c>.</summary>
static class BackupCommand
{
    static readonly Option<string> data = DataOption.Create();
    static readonly Option<string?> configPath = new("--config-path") { Description = "homeserver.yaml; that of the data folder when left out." };
    static readonly Option<string> to = new("--to") { Required = true, Description = "A folder; media that is in it already is not copied again." };
    static readonly Option<string> from = new("--from") { Required = true, Description = "The folder of a backup." };
    static readonly Option<bool> json = JsonOption.Create();

    public static Command CreateBackup()
    {
        var command = new Command("backup", "Copies database, media, configuration and signing key as of one moment, while the server runs.") { to, data, configPath, json };
        command.SetAction(Take);
        return command;
    }

    public static Command CreateRestore()
    {
        var command = new Command("restore", "Puts a backup into an empty data folder or database, while no server runs on it.") { from, data, json };
        command.SetAction(Restore);
        return command;
    }

    static async Task<int> Take(ParseResult result, CancellationToken ct)
    {
        var folder = result.GetFolder(data);
        var path = result.GetValue(configPath) ?? ServerState.Find(folder)?.ConfigPath ?? Path.Combine(folder, "homeserver.yaml");
        var config = ServerConfig.Read(path).WithPrivateParts(folder);
        var manifest = await WithProgress(result, progress => new Backup(Path.GetFullPath(result.GetValue(to)!)).Take(config, folder, progress, ct));
        Say(result, manifest, $"{manifest.ServerName} as of {manifest.TakenAt:u}, log position {manifest.Position}. It holds every secret of the server: keep it as one."
            + (manifest.MediaBucket is { } bucket ? $" Media in the bucket {bucket} are not in it: keep a copy of the bucket that is no older than this." : ""));
        return 0;
    }

    static async Task<int> Restore(ParseResult result, CancellationToken ct)
    {
        var folder = result.GetFolder(data);
        var backup = new Backup(Path.GetFullPath(result.GetValue(from)!));
        var manifest = backup.Read();
        if (ServerState.Find(folder) is { IsRunning: true } server && server.Supervisor.IsAlive) throw new StackException($"A server runs in {folder}; 'matrixctl down' stops it.");
        var config = ServerConfig.Read(backup.RestoreConfiguration(manifest, folder));
        await WithProgress(result, async progress =>
        {
            await using var stack = config.NamesDatabase ? null
                : await PrivateStack.Start(new StackOptions { DataFolder = folder, RabbitMq = false, Redis = false }, ct);
            await backup.RestoreDatabase((stack is null ? config : config.WithPrivateParts(folder)).Database, progress, ct);
            backup.RestoreMedia(config, progress, ct);
            return true;
        });
        Say(result, manifest, $"{manifest.ServerName} as of {manifest.TakenAt:u} is in {folder}. Clients that have seen later things begin afresh. "
            + "Other servers may know of events that are lost here; rooms with them go on."
            + (manifest.MediaBucket is { } bucket ? $" Media in the bucket {bucket} were not in the backup." : ""));
        return 0;
    }

    static void Say(ParseResult result, BackupManifest manifest, string text)
    {
        if (result.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(manifest, BackupJson.Default.BackupManifest));
        else AnsiConsole.WriteLine(text);
    }

    static Task<T> WithProgress<T>(ParseResult result, Func<Action<string, double>, Task<T>> work)
    {
        if (result.GetValue(json) || Console.IsOutputRedirected) return work((_, _) => { });
        return AnsiConsole.Progress().StartAsync(async context =>
        {
            var tasks = new Dictionary<string, ProgressTask>();
            return await work((part, done) =>
            {
                var task = tasks.TryGetValue(part, out var known) ? known : tasks[part] = context.AddTask(part, maxValue: 1);
                (task.Value, task.IsIndeterminate) = (done, done <= 0); // Postgres' own programs do not say how far they are
            });
        });
    }
}
