using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Matrix.Ctl.Configuration;
using Matrix.Ctl.Running;
using Matrix.LocalStack;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl backup --to FOLDER</c> and <c>matrixctl restore --from FOLDER</c>.</summary>
static class BackupCommand
{
    /// <summary>Done, but not all media is there.</summary>
    const int LacksMedia = 3;

    static readonly Option<string> data = DataOption.Create();
    static readonly Option<string?> configPath = new("--config-path") { Description = "homeserver.yaml; that of the data folder when left out." };
    static readonly Option<string> to = new("--to") { Required = true, Description = "A folder; media that is in it already is not copied again." };
    static readonly Option<string> from = new("--from") { Required = true, Description = "The folder of a backup." };
    static readonly Option<bool> withoutBucket = new("--without-bucket") { Description = "Leaves media in the bucket alone, because the bucket itself is kept in versions or copied." };
    static readonly Option<bool> withoutDatabase = new("--without-database") { Description = "Leaves the database alone, because it is kept by Postgres' own archiving." };
    static readonly Option<bool> json = JsonOption.Create();

    public static Command CreateBackup()
    {
        var command = new Command("backup", "Copies database, media, configuration and signing key as of one moment, while the server runs. Ends with 3 when media is lost where it lies.")
        {
            to, data, configPath, withoutBucket, withoutDatabase, json,
        };
        command.SetAction(Take);
        return command;
    }

    public static Command CreateRestore()
    {
        var command = new Command("restore", "Puts a backup into an empty data folder or database, while no server runs on it. Ends with 3 when the backup lacks media.")
        {
            from, data, withoutDatabase, json,
        };
        command.SetAction(Restore);
        return command;
    }

    static async Task<int> Take(ParseResult result, CancellationToken ct)
    {
        var folder = result.GetFolder(data);
        var path = result.GetValue(configPath) ?? ServerState.Find(folder)?.ConfigPath ?? Path.Combine(folder, "homeserver.yaml");
        var config = ServerConfig.Read(path).WithPrivateParts(folder);
        var choice = new BackupChoice(WithDatabase: !result.GetValue(withoutDatabase), WithBucket: !result.GetValue(withoutBucket));
        var manifest = await WithProgress(result, progress => new Backup(Path.GetFullPath(result.GetValue(to)!)).Take(config, folder, choice, progress, ct));
        return Say(result, manifest, manifest.Media!, "lost where they lie, and so in the backup",
            $"{manifest.ServerName} as of {manifest.TakenAt:u}, log position {manifest.Position}. It holds every secret of the server: keep it as one."
            + (manifest.Database ? "" : " The database is not in it: keep one that is as old as this or older.")
            + (manifest.MediaBucket is { } bucket ? $" What lies in the bucket {bucket} is not in it ({manifest.Media!.LeftInBucket} contents, {Mebibytes(manifest.Media.LeftInBucketBytes)}):"
                + " keep a copy of the bucket that is no older than this." : ""));
    }

    static async Task<int> Restore(ParseResult result, CancellationToken ct)
    {
        var folder = result.GetFolder(data);
        var backup = new Backup(Path.GetFullPath(result.GetValue(from)!));
        var manifest = backup.Read();
        if (ServerState.Find(folder) is { IsRunning: true } server && server.Supervisor.IsAlive) throw new StackException($"A server runs in {folder}; 'matrixctl down' stops it.");
        var withDatabase = !result.GetValue(withoutDatabase);
        if (withDatabase && !manifest.Database) throw new StackException("The database is not in this backup. Put yours back, then the rest by --without-database.");
        var config = ServerConfig.Read(backup.RestoreConfiguration(manifest, folder));
        var report = await WithProgress(result, async progress =>
        {
            await using var stack = config.NamesDatabase || !withDatabase ? null
                : await PrivateStack.Start(new StackOptions { DataFolder = folder, RabbitMq = false, Redis = false }, ct);
            return await backup.Restore(stack is null ? config : config.WithPrivateParts(folder), withDatabase, progress, ct);
        });
        return Say(result, manifest with { Media = report }, report, "neither in the backup nor in their store", $"{manifest.ServerName} as of {manifest.TakenAt:u} is in {folder}."
            + (withDatabase ? " Clients that have seen later things begin afresh. Other servers may know of events that are lost here; rooms with them go on." : ""));
    }

    static int Say(ParseResult result, BackupManifest manifest, MediaReport media, string lost, string text)
    {
        if (result.GetValue(json))
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(manifest, BackupJson.Default.BackupManifest));
        }
        else
        {
            AnsiConsole.WriteLine($"{text} Media: {media.Copied} contents copied ({Mebibytes(media.CopiedBytes)}), {media.AlreadyThere} were there already.");
            if (media.LostCount > 0) AnsiConsole.WriteLine($"{media.LostCount} contents are {lost}:");
            foreach (var content in media.Lost) AnsiConsole.WriteLine($"  {content.Fault} {(content.Media.Count > 0 ? string.Join(' ', content.Media) : content.Hash)}");
        }
        return media.LostCount > 0 ? LacksMedia : 0;
    }

    static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB");

    static Task<T> WithProgress<T>(ParseResult result, Func<Action<BackupProgress>, Task<T>> work)
    {
        if (result.GetValue(json) || Console.IsOutputRedirected) return work(_ => { });
        return AnsiConsole.Progress().StartAsync(async context =>
        {
            var tasks = new Dictionary<string, ProgressTask>();
            return await work(at =>
            {
                var task = tasks.TryGetValue(at.Part, out var known) ? known : tasks[at.Part] = context.AddTask(at.Part, maxValue: 1);
                (task.Value, task.IsIndeterminate, task.Description) = (at.Done, at.Done <= 0, at.Text); // Postgres' own programs do not say how far they are
            });
        });
    }
}
