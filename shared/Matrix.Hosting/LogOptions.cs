using Serilog.Events;

namespace Matrix.Hosting;

/// <summary>
/// The section <c>log</c>: what is written to standard output, and how.
/// </summary>
public sealed class LogOptions
{
    /// <summary><c>text</c> for people; <c>json</c>, one compact object a line, for machines.</summary>
    public LogFormat Format { get; init; }

    /// <summary>verbose, debug, information, warning, error, fatal.</summary>
    public LogEventLevel Level { get; init; } = LogEventLevel.Information;

    /// <summary>The same for a category, such as <c>Matrix.Http: debug</c>.</summary>
    public IReadOnlyDictionary<string, LogEventLevel> Levels { get; init; } = new Dictionary<string, LogEventLevel>();

    /// <summary>A file with levels that hold on top of these while the process runs (<see cref="Hosting.LogLevelsFile"/>).</summary>
    public string? LevelsFile { get; init; }
}

public enum LogFormat
{
    Text,
    Json,
}
