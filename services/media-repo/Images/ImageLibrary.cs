using System.Diagnostics.CodeAnalysis;
using NetVips;

namespace Matrix.MediaRepo.Images;

/// <summary>Where a picture's bytes are: in a file, or in memory.</summary>
public sealed record ImageSource(string? Path, byte[]? Bytes);

/// <param name="Bytes">Without any metadata of the original.</param>
public sealed record MadeImage(byte[] Bytes, string ContentType, int Width, int Height);

/// <summary>Why there is no thumbnail.</summary>
/// <param name="tooLarge">Else it is no picture that we know, or a broken one.</param>
[SuppressMessage("Design", "CA1032", Justification = "Always with a reason.")]
public sealed class ImageException(string reason, bool tooLarge = false) : Exception(reason)
{
    public bool TooLarge => tooLarge;
}

/// <summary>
/// The one place that knows libvips. Only the loaders of <see cref="ImageFormat"/> are allowed, the picture's size is read from its header and
/// limited before anything is decoded, decoding has a limit of time, and only a few pictures are worked on at once: the others wait.
/// </summary>
public sealed class ImageLibrary : IDisposable
{
    /// <summary>The most frames that an animation keeps.</summary>
    const int MostFrames = 200;

    const int BlurredSide = 32;

    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    static readonly Lazy<bool> s_ready = new(Prepare);

    readonly SemaphoreSlim _seats = new(Math.Clamp(Environment.ProcessorCount, 1, 8));
    readonly long _maxPixels;

    public ImageLibrary(MediaOptions options) => _maxPixels = options.MaxImagePixels;

    /// <summary>A smaller copy: upright, in sRGB, never larger than the original.</summary>
    /// <param name="crop">Fills the box and cuts off what is over; else it fits into the box.</param>
    /// <param name="animated">Keeps the frames of an animation, unless there are too many.</param>
    /// <exception cref="ImageException">It cannot be made.</exception>
    public Task<MadeImage> Shrink(ImageSource source, int width, int height, bool crop, bool animated, CancellationToken ct) =>
        Work(stop => ShrinkNow(source, width, height, crop, animated, stop), ct);

    /// <summary>Width and height, as the header says.</summary>
    /// <exception cref="ImageException">It is no picture, or too large.</exception>
    public Task<(int Width, int Height)> Measure(ImageSource source, CancellationToken ct) => Work(
        _ =>
        {
            var (width, height, _) = CheckHeader(source);
            return (width, height);
        }, ct);

    /// <summary>Its <see cref="BlurHash"/>.</summary>
    /// <exception cref="ImageException">It is no picture, or too large.</exception>
    public Task<string> Blur(ImageSource source, CancellationToken ct) => Work(
        stop =>
        {
            CheckHeader(source);
            using var small = Load(source, BlurredSide, BlurredSide, crop: false, "");
            small.SetProgress(null, stop);
            using var opaque = small.HasAlpha() ? small.Flatten() : small.Copy();
            using var colours = opaque.Colourspace(Enums.Interpretation.Srgb);
            return BlurHash.Of(colours.WriteToMemory<byte>(), colours.Width, colours.Height);
        }, ct);

    public void Dispose() => _seats.Dispose();

    async Task<T> Work<T>(Func<CancellationToken, T> work, CancellationToken ct)
    {
        _ = s_ready.Value;
        await _seats.WaitAsync(ct);
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
            stop.CancelAfter(s_patience);
            return await Task.Run(() => work(stop.Token), ct);
        }
        catch (VipsException e)
        {
            // its text names files of ours
            throw new ImageException(ct.IsCancellationRequested ? "The request was dropped." : $"The picture is broken ({e.GetType().Name}).");
        }
        finally
        {
            NativeMemory.GiveBack();
            _seats.Release();
        }
    }

    MadeImage ShrinkNow(ImageSource source, int width, int height, bool crop, bool animated, CancellationToken stop)
    {
        var (fullWidth, fullHeight, frames) = CheckHeader(source);
        if (animated && frames > 1)
            return crop ? CropFrames(source, width, height, fullWidth, fullHeight, stop) : ScaleFrames(source, width, height, stop);
        using var image = Load(source, width, height, crop, "");
        image.SetProgress(null, stop);
        return image.HasAlpha()
            ? new MadeImage(image.PngsaveBuffer(compression: 6, keep: Enums.ForeignKeep.None), "image/png", image.Width, image.Height)
            : new MadeImage(image.JpegsaveBuffer(q: 80, optimizeCoding: true, keep: Enums.ForeignKeep.None), "image/jpeg", image.Width, image.Height);
    }

    static MadeImage ScaleFrames(ImageSource source, int width, int height, CancellationToken stop)
    {
        using var image = Load(source, width, height, crop: false, "n=-1");
        image.SetProgress(null, stop);
        return Animation(image, image.PageHeight);
    }

    // libvips would crop the frames as the one long strip that they are to it
    static MadeImage CropFrames(ImageSource source, int width, int height, int fullWidth, int fullHeight, CancellationToken stop)
    {
        var scale = Math.Min(1, Math.Max((double)width / fullWidth, (double)height / fullHeight));
        using var strip = Load(source, (int)Math.Ceiling(fullWidth * scale), (int)Math.Ceiling(fullHeight * scale), crop: false, "n=-1");
        strip.SetProgress(null, stop);
        var each = strip.PageHeight;
        var (w, h) = (Math.Min(width, strip.Width), Math.Min(height, each));
        var frames = new List<Image>();
        try
        {
            for (var top = 0; top + each <= strip.Height; top += each)
                frames.Add(strip.ExtractArea((strip.Width - w) / 2, top + ((each - h) / 2), w, h));
            using var joined = Image.Arrayjoin([.. frames], across: 1);
            joined.SetProgress(null, stop);
            return Animation(joined, h);
        }
        finally
        {
            frames.ForEach(frame => frame.Dispose());
        }
    }

    static MadeImage Animation(Image frames, int height) =>
        new(frames.WebpsaveBuffer(q: 75, keep: Enums.ForeignKeep.None, pageHeight: height), "image/webp", frames.Width, height);

    /// <summary>Reads no more than the header.</summary>
    /// <returns>Of one frame; and how many frames may be kept: 1 where it is not animated, or too much so.</returns>
    (int Width, int Height, int Frames) CheckHeader(ImageSource source)
    {
        using var header = source.Path != null
            ? Image.NewFromFile(source.Path, access: Enums.Access.Sequential)
            : Image.NewFromBuffer(source.Bytes!, access: Enums.Access.Sequential);
        var pixels = (long)header.Width * header.Height;
        if (pixels > _maxPixels)
            throw new ImageException($"The picture has {pixels} pixels, more than {_maxPixels}.", tooLarge: true);
        // what is interlaced is decoded whole before it can be made smaller: bound the memory, not the pixels
        var bytes = pixels * header.Bands * (header.Format == Enums.BandFormat.Ushort ? 2 : 1);
        if (header.Contains("interlaced") && bytes > _maxPixels * 4)
            throw new ImageException("The picture is too large to be decoded whole.", tooLarge: true);
        var frames = header.Contains("n-pages") ? (int)header.Get("n-pages") : 1;
        return (header.Width, header.Height, frames <= MostFrames && pixels * frames <= _maxPixels * 2 ? frames : 1);
    }

    static Image Load(ImageSource source, int width, int height, bool crop, string loaderOptions)
    {
        var cut = crop ? Enums.Interesting.Centre : Enums.Interesting.None;
        return source.Path != null
            ? Image.Thumbnail(loaderOptions.Length > 0 ? $"{source.Path}[{loaderOptions}]" : source.Path, width, height, Enums.Size.Down,
                crop: cut, outputProfile: "srgb", failOn: Enums.FailOn.Error)
            : Image.ThumbnailBuffer(source.Bytes!, width, loaderOptions, height, Enums.Size.Down,
                crop: cut, outputProfile: "srgb", failOn: Enums.FailOn.Error);
    }

    static bool Prepare()
    {
        Operation.Block("VipsForeignLoad", true);
        foreach (var format in ImageFormat.Loaders)
            Operation.Block($"VipsForeignLoad{format}", false);
        // what it warns of are oddities of pictures, and it would write each to the standard error
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, static (_, _, _) => { });
        // one thread for a picture: the other cores have other pictures; and nothing is asked for twice
        NativeMemory.Share();
        NetVips.NetVips.Concurrency = 1;
        Cache.Max = 0;
        return true;
    }
}
