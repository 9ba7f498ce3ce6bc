using System.Text.Json;
using System.Threading.Channels;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// The replicas in a file of their own, <c>{"client-api": ["http://…", …]}</c>, which whoever starts and stops them writes, and which is read again
/// when it changes. A service that it does not name keeps what <c>gateway.clusters</c> says.
/// </summary>
sealed partial class ClustersFile(GatewayOptions options, ProxyConfiguration proxy, ILogger<ClustersFile> log) : BackgroundService
{
    /// <summary>How often it is looked at where the kernel does not tell of changes, and where it does: it may be a link, or on a network's disk.</summary>
    static readonly TimeSpan Untold = TimeSpan.FromMilliseconds(250), Told = TimeSpan.FromSeconds(3);

    DateTime _written;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.ClustersFile is not { } path) return;
        // a channel, as the watcher may still tell of something while it is being disposed of
        var changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var watcher = Watch(path, () => changes.Writer.TryWrite(true));
        while (!stoppingToken.IsCancellationRequested)
        {
            Look(path);
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            pause.CancelAfter(watcher is null ? Untold : Told);
            await ((Task)changes.Reader.WaitToReadAsync(pause.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            changes.Reader.TryRead(out _);
        }
    }

    FileSystemWatcher? Watch(string path, Action changed)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(path));
            watcher.Changed += (_, _) => changed();
            watcher.Created += (_, _) => changed();
            watcher.Renamed += (_, _) => changed();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            NotWatched(path, e.Message); // its folder is not there yet, or the kernel's limit of watches is reached
            watcher?.Dispose();
            return null;
        }
    }

    void Look(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.LastWriteTimeUtc == _written) return; // not there: what the configuration names holds
        try
        {
            proxy.Update(JsonSerializer.Deserialize<Dictionary<string, IReadOnlyList<string>>>(File.ReadAllBytes(path)) ?? []);
            _written = file.LastWriteTimeUtc;
            Changed(path);
        }
        catch (Exception e) when (e is IOException or JsonException or ArgumentException)
        {
            Unreadable(path, e.Message); // the replicas known before stay in use
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Path} is looked at four times a second: {Reason}")]
    partial void NotWatched(string path, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Read the replicas from {Path}")]
    partial void Changed(string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} cannot be read: {Reason}")]
    partial void Unreadable(string path, string reason);
}
