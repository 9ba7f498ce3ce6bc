using Matrix.Http;
using Matrix.MediaRepo.Images;
using Matrix.MediaRepo.Serving;
using Matrix.Storage.Caching;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Thumbnails;

/// <summary>Makes each thumbnail once, for all replicas, and keeps it with the picture's bytes.</summary>
public sealed class Thumbnailer(
    ThumbnailStore store, SharedWork work, ContentSender contents, ContentStores stores, MediaKeeping keeping, ImageLibrary images, MediaOptions options, Caches caches, TimeProvider time)
{
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>What of a picture in the bucket is held in memory while a thumbnail is made.</summary>
    const long LargestInMemory = 64L * 1024 * 1024;

    // of bytes that never change: what was no picture never becomes one
    readonly BoundedCache<UInt128, ImageException> _hopeless =
        caches.Create<UInt128, ImageException>("hopeless_pictures", 1 << 20, (_, why) => 200 + why.Message.Length);

    /// <exception cref="MatrixException">400: it is no picture that thumbnails are made of; 413: it is too large.</exception>
    public async Task<ThumbnailRow> Get(MediaRow media, ThumbnailRequest request, CancellationToken ct)
    {
        var key = request.Choose(options);
        // only what may be animated has two thumbnails of a size
        if (media.ContentType is "image/jpeg")
            key = key with { Animated = false };
        var name = $"thumbnail:{Convert.ToHexStringLower(media.ContentHash)}:{key.Width}x{key.Height}:{key.Method}:{key.Animated}";
        try
        {
            return await work.Get(name, s_patience, token => store.Find(media.ContentHash, key, token), token => Make(media, key, token), ct);
        }
        catch (ImageException e) when (e.TooLarge)
        {
            throw MatrixException.TooLarge("The content is too large to make thumbnails of.");
        }
        catch (ImageException e)
        {
            throw MatrixException.Unknown($"There is no thumbnail of this content: {e.Message}", 400);
        }
    }

    async Task<ThumbnailRow> Make(MediaRow media, ThumbnailKey key, CancellationToken ct)
    {
        var id = BitConverter.ToUInt128(media.ContentHash);
        if (_hopeless.TryGet(id, out var known))
            throw new ImageException(known.Message, known.TooLarge);
        try
        {
            var began = time.GetTimestamp();
            var source = await Source(media, ct);
            var made = await images.Shrink(source, key.Width, key.Height, key.Method == "crop", key.Animated, ct);
            using var bytes = new MemoryStream(made.Bytes, writable: false);
            return await keeping.Keep(bytes, made.Bytes.Length, async kept =>
            {
                var row = new ThumbnailRow(kept.Hash, kept.Size, made.ContentType);
                await store.Insert(media.ContentHash, key, row, ct);
                MediaMetrics.Kept("thumbnail", kept.Size);
                MediaMetrics.ThumbnailTook(time.GetElapsedTime(began));
                return row;
            }, ct);
        }
        catch (ImageException e) when (!ct.IsCancellationRequested)
        {
            _hopeless.Set(id, e);
            throw;
        }
    }

    /// <summary>The file where there is one, else the bytes; nothing is read on of what does not begin as a picture does.</summary>
    public async Task<ImageSource> Source(MediaRow media, CancellationToken ct)
    {
        await using var stream = await contents.Open(media.ContentHash, 0, media.Size, ct);
        var start = new byte[ImageFormat.HeaderSize];
        var read = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, ct);
        if (ImageFormat.Of(start.AsSpan(0, read)) == null)
            throw new ImageException("it is no picture that this server knows.");
        if (stores.FindFile(media.ContentHash) is { } path)
            return new ImageSource(path, null);
        if (media.Size > LargestInMemory)
            throw new ImageException("The file is too large.", tooLarge: true);
        var bytes = new byte[media.Size];
        start.AsSpan(0, read).CopyTo(bytes);
        await stream.ReadExactlyAsync(bytes.AsMemory(read), ct);
        return new ImageSource(null, bytes);
    }
}
