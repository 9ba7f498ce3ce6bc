using System.Text.Json;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// The replicas in a file of their own, <c>{"client-api": ["http://…", …]}</c>, which whoever starts and stops them writes, and which is read again
/// when it changes. A service that it does not name keeps what <c>gateway.clusters</c> says.
/// </summary>
sealed partial class ClustersFile(GatewayOptions options, ProxyConfiguration proxy, TimeProvider time, ILogger<ClustersFile> log) : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    DateTime _written;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.ClustersFile is null) return;
        using var timer = new PeriodicTimer(Interval, time);
        do Look(options.ClustersFile);
        while (await timer.WaitForNextTickAsync(stoppingToken).AsTask().ContinueWith(tick => tick.IsCompletedSuccessfully && tick.Result, TaskScheduler.Default));
    }

    void Look(string path)
    {
        var written = File.GetLastWriteTimeUtc(path);
        if (written == _written) return;
        try
        {
            proxy.Update(JsonSerializer.Deserialize<Dictionary<string, IReadOnlyList<string>>>(File.ReadAllBytes(path)) ?? []);
            _written = written;
            Changed(path);
        }
        catch (Exception e) when (e is IOException or JsonException or ArgumentException)
        {
            Unreadable(path, e.Message); // the replicas known before stay in use
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Read the replicas from {Path}")]
    partial void Changed(string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} cannot be read: {Reason}")]
    partial void Unreadable(string path, string reason);
}
