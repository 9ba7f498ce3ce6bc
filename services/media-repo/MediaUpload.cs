using System.Text.Json.Serialization;
using Matrix.Federation;
using Matrix.Http;
using Matrix.MediaRepo.Thumbnails;
using Matrix.Protocol;
using Matrix.Storage.Media;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Matrix.MediaRepo;

/// <summary>Takes in what users upload.</summary>
public sealed class MediaUpload(
    MediaKeeping keeping, MediaStore store, NewPictures pictures, ServerSigningKey own, MediaOptions options, TimeProvider time)
{
    const long Overrun = 1 << 20;
    const int LongestName = 1000;

    /// <summary>An upload under a new media id.</summary>
    /// <exception cref="MatrixException">413: it is too large.</exception>
    public async Task<Uploaded> Receive(HttpContext context, string? fileName, Requester requester, CancellationToken ct)
    {
        var body = Admit(context, fileName, requester);
        var uri = MxcUri.Create(own.ServerName, MediaKeeping.NewMediaId());
        var media = await keeping.Keep(body, options.MaxUploadSize, async kept =>
        {
            var described = Describe(kept, context, fileName, requester);
            await store.Insert(uri, described, time.GetUtcNow(), ct);
            return described;
        }, ct);
        MediaMetrics.Kept("upload", media.Size);
        return new Uploaded(uri, await Look(media, context, ct));
    }

    /// <summary>An upload to a media id that was given out.</summary>
    /// <exception cref="MatrixException">404, 403, 409: not to this one; 413: it is too large.</exception>
    /// <returns>Its blurhash, if that was asked for.</returns>
    public async Task<string?> ReceivePending(HttpContext context, ServerName server, string mediaId, string? fileName, Requester requester, CancellationToken ct)
    {
        if (server != own.ServerName || !MxcUri.TryParse($"mxc://{server}/{mediaId}", out var uri))
            throw MatrixException.NotFound("No such media id.");
        var body = Admit(context, fileName, requester);
        switch (await store.FindPending(own.ServerName, mediaId, requester.UserId, time.GetUtcNow(), ct))
        {
            case PendingUpload.Unknown: throw MatrixException.NotFound("No such media id, or it has expired.");
            case PendingUpload.Foreign: throw MatrixException.Forbidden("This media id was given to somebody else.");
            case PendingUpload.Complete: throw Overwritten();
        }
        var media = await keeping.Keep(body, options.MaxUploadSize, async kept =>
        {
            var described = Describe(kept, context, fileName, requester);
            return await store.InsertFromPending(uri, described, time.GetUtcNow(), ct) ? described : throw Overwritten();
        }, ct);
        MediaMetrics.Kept("upload", media.Size);
        return await Look(media, context, ct);
    }

    async Task<string?> Look(NewMedia media, HttpContext context, CancellationToken ct)
    {
        var row = new MediaRow(media.ContentHash, media.Size, media.ContentType, media.FileName, media.Authenticated, null, time.GetUtcNow(), IsUnread: true);
        pictures.Add(row);
        return context.Request.Query["xyz.amorgan.generate_blurhash"] == "true" ? await pictures.FindBlurhash(row, ct) : null;
    }

    static MatrixException Overwritten() => new(409, "M_CANNOT_OVERWRITE_MEDIA", "The media has been uploaded already.");

    Stream Admit(HttpContext context, string? fileName, Requester requester)
    {
        requester.MustNotBeGuest();
        if (fileName?.Length > LongestName)
            throw MatrixException.InvalidParam($"filename has more than {LongestName} characters.");
        if (context.Request.ContentLength > options.MaxUploadSize)
            throw MatrixException.TooLarge();
        // A client may have sent more before it reads that it was too much: that is taken off its hands, else it would see a broken connection.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = options.MaxUploadSize + Overrun;
        return context.Request.Body;
    }

    NewMedia Describe(IncomingContent kept, HttpContext context, string? fileName, Requester requester)
    {
        var type = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var parsed) ? parsed.ToString() : "application/octet-stream";
        return new NewMedia(kept.Hash, kept.Size, type, fileName, requester.UserId, options.EnableAuthenticatedMedia);
    }
}

/// <param name="Blurhash">Where it was asked for (<c>xyz.amorgan.generate_blurhash</c>, MSC2448) and it is a picture.</param>
public sealed record Uploaded(MxcUri ContentUri, [property: JsonPropertyName("xyz.amorgan.blurhash")] string? Blurhash);
