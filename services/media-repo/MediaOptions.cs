using System.ComponentModel.DataAnnotations;
using Matrix.Hosting.Configuration;

namespace Matrix.MediaRepo;

/// <summary>What may be uploaded and what is made of it. Keys as in Synapse's configuration where it has them.</summary>
public sealed class MediaOptions
{
    /// <summary>The largest upload.</summary>
    [ByteSize, Range(1, long.MaxValue)] public long MaxUploadSize { get; set; } = 50L * 1024 * 1024;

    /// <summary>The largest media that is fetched from another server. Left out: as <c>max_upload_size</c>.</summary>
    [ByteSize, Range(1, long.MaxValue)] public long? MaxRemoteMediaSize { get; set; }

    public long RemoteLimit => MaxRemoteMediaSize ?? MaxUploadSize;

    /// <summary>Servers whose media is not fetched.</summary>
    public IReadOnlyList<string> PreventMediaDownloadsFrom { get; set; } = [];

    /// <summary>Serve new media only to clients with an access token, as the specification has it since version 1.11.</summary>
    public bool EnableAuthenticatedMedia { get; set; } = true;

    /// <summary>Serve the endpoints of before authenticated media, which ask for no access token.</summary>
    public bool EnableLegacyMedia { get; set; } = true;

    /// <summary>The most pixels of a picture that thumbnails are made of (<c>32M</c> are 33,554,432). Larger ones are served, but not made smaller.</summary>
    [ByteSize, Range(1, 1L << 40)] public long MaxImagePixels { get; set; } = 32L * 1024 * 1024;

    /// <summary>The thumbnails that there are: the smallest that is large enough is served.</summary>
    [MinLength(1)] public IReadOnlyList<ThumbnailSize> ThumbnailSizes { get; set; } =
    [
        new() { Width = 32, Height = 32, Method = ThumbnailMethod.Crop },
        new() { Width = 96, Height = 96, Method = ThumbnailMethod.Crop },
        new() { Width = 320, Height = 240 },
        new() { Width = 640, Height = 480 },
        new() { Width = 800, Height = 600 },
    ];

    /// <summary>Makes thumbnails in whatever size is asked for, up to 2048: more to keep.</summary>
    public bool DynamicThumbnails { get; set; }

    /// <summary>Makes the thumbnails of a picture when it is uploaded; else each when it is first asked for, since most never are.</summary>
    public bool ThumbnailsAtUpload { get; set; }

    /// <summary>How long a media id that was given out waits for its bytes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")] public TimeSpan UnusedExpirationTime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How many such media ids a user may have at once.</summary>
    [Range(1, 1_000_000)] public int MaxPendingMediaUploads { get; set; } = 5;
}

public enum ThumbnailMethod
{
    Scale,
    Crop,
}

public sealed class ThumbnailSize
{
    /// <summary>In pixels.</summary>
    [Range(1, 4096)] public int Width { get; set; } = 1;

    /// <summary>In pixels.</summary>
    [Range(1, 4096)] public int Height { get; set; } = 1;

    /// <summary><c>scale</c> fits the picture into the size; <c>crop</c> fills it and cuts off the rest.</summary>
    public ThumbnailMethod Method { get; set; }
}
