using Serilog.Events;

namespace Matrix.Hosting;

/// <summary>
/// The section <c>log</c>: what is written to standard output, and how.
/// </summary>
public sealed class LogOptions
{
    /// <summary><c>text</c> for people; <c>json</c>, one compact object a line, for machines.</summary>
    public LogFormat Format { get; init; }

    /// <summary>The least that is written; of libraries, warnings and worse.</summary>
    public LogEventLevel Level { get; init; } = LogEventLevel.Information;

    /// <summary>The same for a category of messages, such as <c>Matrix.Http: debug</c>; it holds for those whose names begin with it.</summary>
    public IReadOnlyDictionary<string, LogEventLevel> Levels { get; init; } = new Dictionary<string, LogEventLevel>();

    /// <summary>
    /// A file with levels that hold on top of these while the process runs: JSON of services and categories, as in <c>{"client-api": {"Matrix.Rooms":
    /// "debug"}}</c>, with <c>*</c> for all of either. It is read again when it changes; <c>matrixctl log-level</c> writes it.
    /// </summary>
    public string? LevelsFile { get; init; }
}

public enum LogFormat
{
    Text,
    Json,
}
