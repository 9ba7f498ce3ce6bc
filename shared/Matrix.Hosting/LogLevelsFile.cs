using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog.Events;

namespace Matrix.Hosting;

/// <summary>
/// Levels that an operator changes while the process runs: <c>log.levels_file</c>, JSON of services and categories
/// (<c>{"client-api": {"Matrix.Rooms": "debug"}}</c>, * for all of either), looked at every other second. <c>matrixctl log-level</c> writes it; on
/// Kubernetes it is a key of the ConfigMap.
/// </summary>
sealed partial class LogLevelsFile(LogOptions options, ServiceName service, LogLevels levels, TimeProvider time, ILogger<LogLevelsFile> log)
    : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    byte[] _read = [];
    bool _isChanged;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.LevelsFile is not { Length: > 0 } path) return;
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do Look(path);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // the process stops
        }
    }

    void Look(string path)
    {
        try
        {
            // by what is in it: the times of a ConfigMap's files, which are links, never change
            var content = File.Exists(path) ? File.ReadAllBytes(path) : [];
            if (content.AsSpan().SequenceEqual(_read)) return;
            _read = content;
            var asked = content.Length > 0 ? Parse(content) : [];
            if (asked.Count == 0 && !_isChanged) return;
            _isChanged = asked.Count > 0;
            levels.Set(asked);
            var said = asked.Count == 0 ? "as configured" : string.Join(", ", asked.Select(level => $"{level.Key}={level.Value}"));
            Changed(said);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or ArgumentException)
        {
            Unreadable(path, e.Message); // what was asked for before holds
        }
    }

    Dictionary<string, LogEventLevel> Parse(byte[] json)
    {
        var services = JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, string>>>(json) ?? [];
        return new[] { LogLevels.All, service.Value }.SelectMany(name => services.GetValueOrDefault(name) ?? [])
            .GroupBy(level => level.Key).ToDictionary(group => group.Key, group => Enum.Parse<LogEventLevel>(group.Last().Value, ignoreCase: true));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Log levels: {Levels}")]
    partial void Changed(string levels);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} cannot be read: {Reason}")]
    partial void Unreadable(string path, string reason);
}
