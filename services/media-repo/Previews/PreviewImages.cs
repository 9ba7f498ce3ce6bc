using Matrix.Federation;
using Matrix.MediaRepo.Images;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Previews;

/// <summary>Keeps the pictures of previews like media, so that clients need not go to their servers. They belong to nobody, and go when nobody reads them.</summary>
public sealed class PreviewImages(MediaKeeping keeping, MediaStore store, ImageLibrary images, ServerSigningKey own, MediaOptions options, TimeProvider time)
{
    /// <summary>Nothing is added for what is no picture.</summary>
    public async Task AddTo(Dictionary<string, object> preview, byte[] bytes, CancellationToken ct)
    {
        if (ImageFormat.Of(bytes) is not { } type)
            return;
        int width, height;
        try
        {
            (width, height) = await images.Measure(new ImageSource(null, bytes), ct);
        }
        catch (ImageException)
        {
            return;
        }
        using var stream = new MemoryStream(bytes, writable: false);
        preview["og:image"] = await keeping.Keep(stream, bytes.Length, async kept =>
        {
            var uri = MxcUri.Create(own.ServerName, MediaKeeping.NewMediaId());
            await store.Insert(uri, new NewMedia(kept.Hash, kept.Size, type, null, null, options.EnableAuthenticatedMedia), time.GetUtcNow(), ct);
            return uri.ToString();
        }, ct);
        preview["og:image:type"] = type;
        preview["og:image:width"] = width;
        preview["og:image:height"] = height;
        preview["matrix:image:size"] = bytes.Length;
    }
}
