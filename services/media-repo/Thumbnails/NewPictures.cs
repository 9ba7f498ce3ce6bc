using System.Threading.Channels;
using Matrix.Http;
using Matrix.MediaRepo.Images;
using Matrix.Storage;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Thumbnails;

/// <summary>
/// What is made of a picture as soon as it has been uploaded: a blurhash for who asks, and with <c>thumbnails_at_upload</c> its thumbnails, after the
/// answer and one picture after the other. What does not fit into the queue, or is lost with the process, is made when it is first asked for.
/// </summary>
public sealed partial class NewPictures(
    Thumbnailer thumbnailer, ImageLibrary images, MediaOptions options, DatabaseOutage outage, ILogger<NewPictures> logger) : BackgroundService
{
    const int MostWaiting = 500;

    readonly Channel<MediaRow> _waiting = Channel.CreateBounded<MediaRow>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Add(MediaRow media)
    {
        if (options.ThumbnailsAtUpload && media.QuarantinedBy == null && IsPicture(media))
            _waiting.Writer.TryWrite(media);
    }

    /// <summary>Null: it is no picture that this server can read.</summary>
    public async Task<string?> FindBlurhash(MediaRow media, CancellationToken ct)
    {
        if (!IsPicture(media))
            return null;
        try
        {
            return await images.Blur(await thumbnailer.Source(media, ct), ct);
        }
        catch (ImageException)
        {
            return null;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var media in _waiting.Reader.ReadAllAsync(stoppingToken))
                await TryMakeAll(media, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the others are made when they are asked for
        }
    }

    static bool IsPicture(MediaRow media) => media.ContentType.StartsWith("image/", StringComparison.OrdinalIgnoreCase);

    async Task TryMakeAll(MediaRow media, CancellationToken ct)
    {
        try
        {
            foreach (var size in options.ThumbnailSizes)
                await thumbnailer.Get(media, new ThumbnailRequest(size.Width, size.Height, size.Method, Animated: false), ct);
        }
        catch (MatrixException)
        {
            // it is none that thumbnails are made of
        }
        catch (Exception e) when (DatabaseOutage.IsOne(e))
        {
            outage.Failed(e);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            NotMade(e); // they are made when they are asked for
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Thumbnails of a new picture could not be made")]
    partial void NotMade(Exception cause);
}
