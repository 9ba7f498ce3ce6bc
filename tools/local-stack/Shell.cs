using System.Diagnostics;

namespace Matrix.LocalStack;

/// <summary>Short-lived commands, run to their end.</summary>
static class Shell
{
    public static async Task<CommandResult> Run(IReadOnlyList<string> command, CancellationToken ct, string? workingFolder = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingFolder ?? "/",
        };
        foreach (var argument in command.Skip(1)) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var error = process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return new(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>As <see cref="Run"/>, but a command that cannot be started counts as failed.</summary>
    public static async Task<bool> Succeeds(IReadOnlyList<string> command, CancellationToken ct)
    {
        try
        {
            return (await Run(command, ct)).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The end of what the command wrote, for a message.</summary>
    public string Tail => (Output + Error).Trim() is var all && all.Length > 600 ? "…" + all[^600..] : (Output + Error).Trim();
}
