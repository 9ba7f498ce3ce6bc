using Matrix.LocalStack;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary>Asks for a new password, twice on a terminal; a pipe gives it as one line.</summary>
static class PasswordPrompt
{
    public static string Ask()
    {
        if (Console.IsInputRedirected)
            return Console.In.ReadLine() is { Length: > 0 } line ? line : throw new StackException("The password is empty.");
        while (true)
        {
            var password = AnsiConsole.Prompt(new TextPrompt<string>("Password:").Secret());
            if (password == AnsiConsole.Prompt(new TextPrompt<string>("Again:").Secret())) return password;
            AnsiConsole.MarkupLine("[yellow]These two differ.[/]");
        }
    }
}
