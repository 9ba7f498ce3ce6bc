using System.Diagnostics;

namespace Matrix.Chart.Tests;

sealed record Finished(int ExitCode, string Output, string Error);

static class Processes
{
    /// <summary>The exit code of a program that was ended because what was awaited has come.</summary>
    public const int Stopped = -2;

    /// <summary>Runs a program to its end, or until something; kills it when the time is up.</summary>
    public static async Task<Finished> Run(
        string program, IEnumerable<string> arguments, Action<ProcessStartInfo>? configure = null, int seconds = 60, Task? until = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        configure?.Invoke(start);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            var end = process.WaitForExitAsync(limit.Token);
            if (until is not null && await Task.WhenAny(end, until) == until)
            {
                process.Kill(entireProcessTree: true);
                await until;
                await end;
                return new Finished(Stopped, await output, await error);
            }
            await end;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new Finished(-1, await output, $"not within {seconds} s: {await error}");
        }
        return new Finished(process.ExitCode, await output, await error);
    }
}
