using Matrix.Federation;
using Matrix.MediaRepo.Remote;
using Matrix.MediaRepo.Thumbnails;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Serving;

/// <summary>What the endpoints of downloads and thumbnails have in common.</summary>
public sealed class MediaServing(MediaFinder finder, ContentSender sender, MultipartSender multipart, Thumbnailer thumbnailer, ServerSigningKey own)
{
    /// <param name="fileName">Replaces the name that it was uploaded with.</param>
    public async Task Download(HttpContext context, ServerName origin, string mediaId, string? fileName, bool withToken, CancellationToken ct)
    {
        var media = await Find(context, origin, mediaId, withToken, ct);
        await sender.Send(context, Describe(media, fileName), ct);
    }

    public Task Thumbnail(HttpContext context, ServerName origin, string mediaId, bool withToken, CancellationToken ct) =>
        Thumbnail(context, origin, mediaId, withToken, ThumbnailRequest.From(context.Request.Query), ct);

    /// <summary>A picture of the size of an avatar beside a line of text, for who may see it without a token.</summary>
    public Task SmallPicture(HttpContext context, ServerName origin, string mediaId, CancellationToken ct) =>
        Thumbnail(context, origin, mediaId, withToken: true, new ThumbnailRequest(48, 48, ThumbnailMethod.Crop, Animated: false), ct);

    async Task Thumbnail(HttpContext context, ServerName origin, string mediaId, bool withToken, ThumbnailRequest request, CancellationToken ct)
    {
        var media = await Find(context, origin, mediaId, withToken, ct);
        await sender.Send(context, Describe(await thumbnailer.Get(media, request, ct), media), ct);
    }

    /// <summary>Media of this server, for another one.</summary>
    public async Task DownloadForServer(HttpContext context, string mediaId, CancellationToken ct)
    {
        var media = await finder.Get(MediaRequest.From(context, own.ServerName, mediaId, withToken: true), ct);
        await multipart.Send(context, Describe(media, null), ct);
    }

    /// <inheritdoc cref="DownloadForServer"/>
    public async Task ThumbnailForServer(HttpContext context, string mediaId, CancellationToken ct)
    {
        var request = ThumbnailRequest.From(context.Request.Query);
        var media = await finder.Get(MediaRequest.From(context, own.ServerName, mediaId, withToken: true), ct);
        await multipart.Send(context, Describe(await thumbnailer.Get(media, request, ct), media), ct);
    }

    Task<MediaRow> Find(HttpContext context, ServerName origin, string mediaId, bool withToken, CancellationToken ct) =>
        finder.Get(MediaRequest.From(context, origin, mediaId, withToken) with { Row = AskedMedia.RowOf(context) }, ct);

    static ServedContent Describe(MediaRow media, string? fileName) =>
        new(media.ContentHash, media.Size, media.ContentType, fileName ?? media.FileName, media.Authenticated);

    static ServedContent Describe(ThumbnailRow thumbnail, MediaRow of) =>
        new(thumbnail.ContentHash, thumbnail.Size, thumbnail.ContentType, $"thumbnail.{thumbnail.ContentType["image/".Length..]}", of.Authenticated);
}
