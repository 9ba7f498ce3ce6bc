using System.Collections.Concurrent;
using Matrix.MediaRepo.Lifecycle;
using Matrix.Protocol;
using Matrix.Storage;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Serving;

/// <summary>
/// Remembers what was read and writes it down now and then, in one statement: an hour more or less is nothing to retention, which asks for days. A
/// process that dies forgets a minute of it.
/// </summary>
public sealed partial class MediaAccess(
    MediaStore store, MediaRetentionOptions retention, DatabaseOutage outage, TimeProvider time, ILogger<MediaAccess> logger) : BackgroundService
{
    const int MostHeld = 50_000, AtOnce = 1000;

    static readonly TimeSpan s_every = TimeSpan.FromMinutes(1), s_exactness = TimeSpan.FromHours(1);

    readonly ConcurrentDictionary<(ServerName, string), byte> _read = new();

    public void Read(ServerName origin, string mediaId, MediaRow media)
    {
        // that it was read at all is to be known soon where what nobody reads is deleted
        var isNews = time.GetUtcNow() - media.LastAccess > s_exactness || (media.IsUnread && retention.UnreferencedMediaLifetime != null);
        if (isNews && _read.Count < MostHeld)
            _read.TryAdd((origin, mediaId), 0);
    }

    /// <summary>Writes down what was read until now.</summary>
    public async Task Flush(CancellationToken ct)
    {
        foreach (var batch in _read.Keys.Chunk(AtOnce))
        {
            await store.Touch(batch, time.GetUtcNow(), ct);
            foreach (var media in batch)
                _read.TryRemove(media, out _);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryFlush(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await TryFlush(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // StopAsync writes the rest
        }
    }

    async Task TryFlush(CancellationToken ct)
    {
        try
        {
            await Flush(ct);
        }
        catch (Exception e) when (DatabaseOutage.IsOne(e))
        {
            outage.Failed(e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            NotWritten(e); // the next round tries again
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "When media was last read could not be written down")]
    partial void NotWritten(Exception cause);
}
