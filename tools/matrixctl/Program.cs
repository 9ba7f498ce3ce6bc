using System.CommandLine;
using Matrix.Ctl.Commands;
using Matrix.LocalStack;
using Spectre.Console;

var root = new RootCommand("Sets up, runs and looks after a Matrix homeserver.")
{
    WithServicesCommand.Create(),
};
try
{
    // each command handles Ctrl-C itself: a stop in order takes longer than the library would wait
    return await root.Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (StackException e)
{
    AnsiConsole.MarkupLineInterpolated($"[red]{e.Message}[/]");
    return 1;
}
catch (OperationCanceledException)
{
    return 130;
}
