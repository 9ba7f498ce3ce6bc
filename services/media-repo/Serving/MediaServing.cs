using Matrix.MediaRepo.Thumbnails;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Serving;

/// <summary>What the endpoints of downloads and thumbnails have in common.</summary>
public sealed class MediaServing(MediaFinder finder, ContentSender sender, Thumbnailer thumbnailer)
{
    /// <param name="fileName">Replaces the name that it was uploaded with.</param>
    public async Task Download(HttpContext context, ServerName origin, string mediaId, string? fileName, bool withToken, CancellationToken ct)
    {
        var media = await finder.Get(MediaRequest.From(context, origin, mediaId, withToken), ct);
        await sender.Send(context, new ServedContent(media.ContentHash, media.Size, media.ContentType, fileName ?? media.FileName, media.Authenticated), ct);
    }

    public async Task Thumbnail(HttpContext context, ServerName origin, string mediaId, bool withToken, CancellationToken ct)
    {
        var request = ThumbnailRequest.From(context.Request.Query);
        var media = await finder.Get(MediaRequest.From(context, origin, mediaId, withToken), ct);
        var thumbnail = await thumbnailer.Get(media, request, ct);
        var name = $"thumbnail.{thumbnail.ContentType["image/".Length..]}";
        await sender.Send(context, new ServedContent(thumbnail.ContentHash, thumbnail.Size, thumbnail.ContentType, name, media.Authenticated), ct);
    }
}
