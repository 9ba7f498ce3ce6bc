using System.Diagnostics;

namespace Matrix.Chart.Tests;

sealed record Finished(int ExitCode, string Output, string Error);

static class Processes
{
    /// <summary>Runs a program to its end; kills it when the time is up.</summary>
    public static async Task<Finished> Run(string program, IEnumerable<string> arguments, Action<ProcessStartInfo>? configure = null, int seconds = 60)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        configure?.Invoke(start);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new Finished(-1, await output, $"not within {seconds} s: {await error}");
        }
        return new Finished(process.ExitCode, await output, await error);
    }
}
