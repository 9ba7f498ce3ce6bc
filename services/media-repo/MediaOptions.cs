using System.ComponentModel.DataAnnotations;
using Matrix.Hosting.Configuration;

namespace Matrix.MediaRepo;

/// <summary>What may be uploaded and what is made of it. Keys as in Synapse's configuration where it has them.</summary>
public sealed class MediaOptions
{
    /// <summary>Bytes of one upload, at most.</summary>
    [ByteSize, Range(1, long.MaxValue)] public long MaxUploadSize { get; set; } = 50L * 1024 * 1024;

    /// <summary>Bytes of media that is fetched from another server, at most; <see cref="MaxUploadSize"/> if it is not set.</summary>
    [ByteSize, Range(1, long.MaxValue)] public long? MaxRemoteMediaSize { get; set; }

    public long RemoteLimit => MaxRemoteMediaSize ?? MaxUploadSize;

    /// <summary>Servers whose media is not fetched.</summary>
    public IReadOnlyList<string> PreventMediaDownloadsFrom { get; set; } = [];

    /// <summary>New media is served only to clients with an access token (Client-Server API, Content repository: the freeze).</summary>
    public bool EnableAuthenticatedMedia { get; set; } = true;

    /// <summary>The endpoints of before authenticated media answer at all.</summary>
    public bool EnableLegacyMedia { get; set; } = true;

    /// <summary>Of a picture that a thumbnail is made of; larger ones are served, but not made smaller.</summary>
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
    [Range(1, 4096)] public int Width { get; set; } = 1;

    [Range(1, 4096)] public int Height { get; set; } = 1;

    public ThumbnailMethod Method { get; set; }
}
