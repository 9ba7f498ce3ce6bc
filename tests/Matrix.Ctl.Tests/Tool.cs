using System.Diagnostics;
using Matrix.Ctl.Running;

namespace Matrix.Ctl.Tests;

/// <summary>matrixctl as an operator runs it, as a process.</summary>
static class Tool
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    public static Task<(int ExitCode, string Output)> Matrixctl(params string[] arguments) => Matrixctl(new Dictionary<string, string>(), arguments);

    public static async Task<(int ExitCode, string Output)> Matrixctl(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using var process = Start(environment, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Limit);
        return (process.ExitCode, await output + await error);
    }

    public static Process Start(params string[] arguments) => Start(new Dictionary<string, string>(), arguments);

    static Process Start(IReadOnlyDictionary<string, string> environment, string[] arguments)
    {
        var own = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var tool = Path.Combine(own, "..", "..", "Matrix.Ctl", Path.GetFileName(own), "matrixctl.dll");
        // a shell's background job ignores Ctrl+C, and so would all that it starts
        var start = new ProcessStartInfo("env", ["--default-signal=INT", ServiceKind.Dotnet, Path.GetFullPath(tool), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        return Process.Start(start)!;
    }
}
