using System.Collections.Concurrent;
using System.Globalization;
using Spectre.Console;

namespace Matrix.Ctl.Running;

/// <summary>Shows a start as it goes on: a line for each thing done, and on a terminal what is still awaited.</summary>
sealed class StartProgress(TimeProvider time)
{
    readonly long started = time.GetTimestamp();
    readonly ConcurrentDictionary<string, string> pending = new();
    readonly Lock writing = new();
    StatusContext? status;

    /// <summary>Shows progress while <paramref name="work"/> runs.</summary>
    public async Task<T> Show<T>(Func<Task<T>> work)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive || !AnsiConsole.Profile.Capabilities.Ansi) return await work();
        return await AnsiConsole.Status().Spinner(Spinner.Known.Dots).StartAsync("Starting…", async context =>
        {
            status = context;
            try
            {
                return await work();
            }
            finally
            {
                status = null;
            }
        });
    }

    /// <summary>What a part does, such as "starting", or what it has come to, such as "ready".</summary>
    public void Report(string part, string phase)
    {
        lock (writing)
        {
            if (phase.Split(' ')[0].EndsWith("ing", StringComparison.Ordinal)) pending[part] = phase;
            else pending.TryRemove(part, out _);
            var seconds = time.GetElapsedTime(started).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
            AnsiConsole.MarkupLineInterpolated($"[grey]{seconds,6} s[/]  {part}: {phase}");
            if (status is not null) status.Status = "Waiting for " + Markup.Escape(string.Join(", ", pending.Keys.Order()));
        }
    }
}
