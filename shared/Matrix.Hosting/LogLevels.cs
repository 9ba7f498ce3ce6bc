using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Serilog.Events;

namespace Matrix.Hosting;

/// <summary>What is logged: by the configuration, and on top of it what was asked for since the start.</summary>
sealed class LogLevels(LogOptions options) : IConfigureOptions<LoggerFilterOptions>, IOptionsChangeTokenSource<LoggerFilterOptions>, IDisposable
{
    /// <summary>Stands for every category.</summary>
    public const string All = "*";

    static readonly (string Category, LogLevel Level)[] s_quiet =
    [
        // a stack trace for each replica that restarts and each client that hangs up; YARP's health category says it in a line
        ("Yarp.ReverseProxy.Forwarder", LogLevel.Critical),
        ("Yarp.ReverseProxy.Health.ActiveHealthCheckMonitor", LogLevel.Critical),
        // its scope would put the server's own RequestId before ours (RequestIds)
        ("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None),
        // a stack trace for each attempt while RabbitMQ is away; the replication's own state says it in a line
        ("MassTransit", LogLevel.Critical),
        // a line for each probe; what is amiss is said by whoever finds it, and in the probe's answer
        ("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical),
    ];

    volatile CancellationTokenSource _changed = new();
    volatile IReadOnlyDictionary<string, LogEventLevel> _since = new Dictionary<string, LogEventLevel>();

    public string Name => Options.DefaultName;

    /// <summary>Replaces what was asked for since the start; from the next line on.</summary>
    public void Set(IReadOnlyDictionary<string, LogEventLevel> levels)
    {
        _since = levels;
        var before = _changed;
        _changed = new CancellationTokenSource();
        before.Cancel();
        before.Dispose();
    }

    public void Dispose() => _changed.Dispose();

    public IChangeToken GetChangeToken() => new CancellationChangeToken(_changed.Token);

    public void Configure(LoggerFilterOptions filter)
    {
        var level = _since.TryGetValue(All, out var asked) ? asked : options.Level;
        var libraries = Level(level > LogEventLevel.Warning ? level : LogEventLevel.Warning);
        filter.MinLevel = Level(level);
        filter.Rules.Clear();
        foreach (var category in new[] { "Microsoft", "System.Net.Http", "Yarp" }) Add(category, libraries);
        foreach (var (category, quiet) in s_quiet) Add(category, quiet);
        foreach (var (category, wanted) in options.Levels) Add(category, Level(wanted));
        // of two rules for a category the last one counts
        foreach (var (category, wanted) in _since.Where(since => since.Key != All)) Add(category, Level(wanted));

        void Add(string category, LogLevel wanted) => filter.Rules.Add(new LoggerFilterRule(null, category, wanted, null));
    }

    static LogLevel Level(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose => LogLevel.Trace,
        LogEventLevel.Debug => LogLevel.Debug,
        LogEventLevel.Information => LogLevel.Information,
        LogEventLevel.Warning => LogLevel.Warning,
        LogEventLevel.Error => LogLevel.Error,
        _ => LogLevel.Critical,
    };
}
