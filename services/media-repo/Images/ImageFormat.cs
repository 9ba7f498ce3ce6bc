namespace Matrix.MediaRepo.Images;

/// <summary>The formats of which thumbnails are made, told by a file's first bytes: what its uploader calls it is no evidence.</summary>
static class ImageFormat
{
    /// <summary>Bytes that are enough to tell.</summary>
    public const int HeaderSize = 12;

    /// <summary>libvips' names of the loaders that may be used.</summary>
    public static readonly IReadOnlyList<string> Loaders = ["Jpeg", "Png", "Webp", "Nsgif"];

    /// <summary>Null: none that we know.</summary>
    public static string? Of(ReadOnlySpan<byte> start) => start switch
    {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, ..] => "image/png",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "image/gif",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "image/webp",
        _ => null,
    };
}
