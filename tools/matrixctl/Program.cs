using System.CommandLine;
using System.Text.Json.Nodes;
using Matrix.Ctl.Admin;
using Matrix.Ctl.Commands;
using Matrix.Hosting.Configuration;
using Matrix.LocalStack;
using Matrix.Storage;
using Npgsql;
using Spectre.Console;

var root = new RootCommand("Sets up, runs and looks after a Matrix homeserver.")
{
    UpCommand.Create(),
    StatusCommand.Create(),
    RestartCommand.Create(),
    ScaleCommand.Create(),
    LogLevelCommand.Create(),
    DownCommand.Create(),
    GenerateConfigCommand.Create(),
    ConfigCommand.Create(),
    DoctorCommand.Create(),
    MigrateCommand.Create(),
    GenerateSigningKeyCommand.Create(),
    RotateSigningKeyCommand.Create(),
    KeysCommand.Create(),
    BackupCommand.CreateBackup(),
    BackupCommand.CreateRestore(),
    RegisterUserCommand.Create(),
    HashPasswordCommand.Create(),
    AdminCommands.User(),
    AdminCommands.Room(),
    MediaCommand.Create(),
    AdminCommands.Federation(),
    WithServicesCommand.Create(),
};
// lines as long as they are where nobody's window bounds them
if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 200;
try
{
    // each command handles Ctrl-C itself: a stop in order takes longer than the library would wait
    // an argument that begins with @ is a user, not a file of arguments
    return await root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null }).InvokeAsync(
        new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (Exception e) when (e is StackException or ConfigurationException or SchemaMismatchException or NpgsqlException or IOException or UnauthorizedAccessException)
{
    if (args.Contains("--json")) Steps.PrintJson(new JsonObject { ["error"] = e.Message });
    else AnsiConsole.MarkupLineInterpolated($"[red]{e.Message}[/]");
    return 1;
}
catch (OperationCanceledException)
{
    return 130;
}
