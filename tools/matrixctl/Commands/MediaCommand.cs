using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Matrix.Ctl.Admin;
using Matrix.Hosting.Configuration;
using Matrix.LocalStack;
using Matrix.Storage.Media;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl media migrate</c>: moves all media into the first store of <c>media_stores</c>, while the server runs.</summary>
static class MediaCommand
{
    static readonly Option<string> configPath = new("--config", "-c") { Description = "The server's configuration, as the media service reads it.", Required = true };
    static readonly Option<bool> json = JsonOption.Create();
    static readonly Option<bool> keepOld = new("--keep-old") { Description = "Copies only: the old stores stay as they are." };

    public static Command Create()
    {
        var migrate = new Command("migrate", "Moves all media into the first store of media_stores. It may be stopped and started again.") { configPath, keepOld, json };
        migrate.SetAction(Migrate);
        var media = new Command("media", "Looks after the media store.") { migrate };
        foreach (var command in AdminCommands.Media()) media.Subcommands.Add(command);
        return media;
    }

    static async Task<int> Migrate(ParseResult result, CancellationToken ct)
    {
        var configuration = new ConfigurationBuilder().Add(new YamlConfigurationSource(Path.GetFullPath(result.GetValue(configPath)!)))
            .AddEnvironmentVariables("MATRIX__").Build();
        await using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddMatrixOptions<MediaStoreOptions>().BuildServiceProvider();
        using var stores = new ContentStores(services.GetRequiredService<MediaStoreOptions>(), TimeProvider.System);
        if (stores.All.Count < 2)
            throw new StackException("media_stores names one store only: name the new one first and the old one after it.");
        var migration = new ContentMigration(stores);
        var work = migration.Run(result.GetValue(keepOld), ct);
        if (!result.GetValue(json)) await Show(migration, work);
        await work;
        if (result.GetValue(json)) PrintJson(stores.Primary.Name, migration.Progress);
        else Print($"all is in {stores.Primary.Name}", migration.Progress);
        return 0;
    }

    /// <summary>A bar on a terminal, else a line every ten seconds.</summary>
    static async Task Show(ContentMigration migration, Task work)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive || Console.IsOutputRedirected)
        {
            while (await Goes(work, TimeSpan.FromSeconds(10))) Print(migration.Progress is { Total: { } total } at ? $"{at.Done} of {total}" : "counting", migration.Progress);
            return;
        }
        await AnsiConsole.Progress().StartAsync(async context =>
        {
            var bar = context.AddTask("counting", maxValue: 1);
            bar.IsIndeterminate = true;
            while (await Goes(work, TimeSpan.FromMilliseconds(200))) Draw(bar, migration.Progress);
            if (work.IsCompletedSuccessfully) Draw(bar, migration.Progress with { Total = migration.Progress.Done }); // what was deleted meanwhile is not missed
        });
    }

    static void Draw(ProgressTask bar, MigrationProgress progress)
    {
        if (progress.Total is not { } total) return;
        bar.IsIndeterminate = false;
        bar.MaxValue = Math.Max(total, 1);
        bar.Value = total == 0 ? 1 : progress.Done;
        bar.Description = string.Create(CultureInfo.InvariantCulture, $"{progress.Done} of {total}, {progress.Bytes / 1048576.0:0.0} MiB");
    }

    static async Task<bool> Goes(Task work, TimeSpan pause)
    {
        await work.WaitAsync(pause).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !work.IsCompleted;
    }

    static void PrintJson(string store, MigrationProgress progress) => Steps.PrintJson(new JsonObject
    {
        ["store"] = store, ["moved"] = progress.Moved, ["moved_bytes"] = progress.Bytes, ["already_there"] = progress.AlreadyThere,
    });

    static void Print(string what, MigrationProgress progress) => AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{what}: {progress.Moved} moved ({progress.Bytes / 1048576.0:0.0} MiB), {progress.AlreadyThere} were there already"));
}
