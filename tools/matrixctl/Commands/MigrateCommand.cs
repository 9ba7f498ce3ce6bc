using System.CommandLine;
using System.Text.Json.Nodes;
using Matrix.Ctl.Configuration;
using Matrix.Storage;
using Npgsql;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary>
/// <c>matrixctl migrate</c>: brings the schema up to date and ends. Safe to run twice, by several at once, and while the release before runs on.
/// </summary>
static class MigrateCommand
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    static readonly Option<string?> configPath = new("--config-path")
    {
        Description = "homeserver.yaml; left out, the variables MATRIX__database__args__… alone say where the database is.",
    };
    static readonly Option<int> wait = new("--wait")
    {
        Description = "Seconds to wait for a database that does not answer yet.",
        DefaultValueFactory = _ => 60,
    };

    static readonly Option<bool> json = JsonOption.Create();

    public static Command Create()
    {
        var command = new Command("migrate", "Brings the database's schema up to date.") { configPath, wait, json };
        command.SetAction(Run);
        return command;
    }

    static async Task<int> Run(ParseResult result, CancellationToken ct)
    {
        await using var db = StorageModule.Open(ServerConfig.ReadOrEnvironment(result.GetValue(configPath)).Database.ConnectionString);
        var until = TimeProvider.System.GetUtcNow().AddSeconds(result.GetValue(wait));
        while (true)
        {
            try
            {
                await SchemaWindow.CheckNotTooNew(db, ct);
                var applied = await Migrations.Apply(db, ct);
                if (result.GetValue(json))
                {
                    var names = new JsonArray([.. applied.Select(name => JsonValue.Create(name))]);
                    Console.Out.WriteLine(new JsonObject { ["applied"] = names, ["release"] = SchemaWindow.Program }.ToJsonString());
                    return 0;
                }
                foreach (var name in applied) AnsiConsole.WriteLine($"applied {name}");
                AnsiConsole.WriteLine($"The schema is that of {SchemaWindow.Program}.");
                return 0;
            }
            catch (NpgsqlException e) when (e.IsTransient && TimeProvider.System.GetUtcNow() < until)
            {
                Console.Error.WriteLine($"The database does not answer yet: {e.Message}");
                await Task.Delay(Pause, ct);
            }
        }
    }
}
