using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Media;
using Microsoft.Net.Http.Headers;

namespace Matrix.MediaRepo;

/// <summary>
/// Answers with a piece of media as the specification wants it served: never in a way that lets an uploaded file act as a page of this server
/// (Client-Server API, Content repository, Serving inline content).
/// </summary>
public sealed class MediaDownload(MediaStore store, MediaFiles files, ServerSigningKey own)
{
    const string ContentSecurityPolicy =
        "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';";

    static readonly HashSet<string> s_inline = new(StringComparer.OrdinalIgnoreCase)
    {
        "text/css", "text/plain", "text/csv", "application/json", "application/ld+json", "image/jpeg", "image/gif", "image/png", "image/apng",
        "image/webp", "image/avif", "video/mp4", "video/webm", "video/ogg", "video/quicktime", "audio/mp4", "audio/webm", "audio/aac", "audio/mpeg",
        "audio/ogg", "audio/wave", "audio/wav", "audio/x-wav", "audio/x-pn-wav", "audio/flac", "audio/x-flac",
    };

    /// <param name="fileName">Replaces the name that it was uploaded with.</param>
    /// <param name="withToken">False for the old endpoints, which serve only media that is not <see cref="MediaRow.Authenticated"/>.</param>
    public async Task<IResult> Serve(HttpContext context, ServerName origin, string mediaId, string? fileName, bool withToken, CancellationToken ct)
    {
        var media = origin == own.ServerName ? await store.Find(origin, mediaId, ct) : null;
        if (media == null || (media.Authenticated && !withToken))
        {
            throw MatrixException.NotFound("No such media.");
        }
        SetHeaders(context.Response.Headers, media, fileName ?? media.FileName);
        // the content of a hash never changes, so its hash is the tag, and what a client has it may keep
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(media.ContentHash)}\"");
        return Results.File(files.Open(media.ContentHash), media.ContentType, entityTag: tag, enableRangeProcessing: true);
    }

    static void SetHeaders(IHeaderDictionary headers, MediaRow media, string? fileName)
    {
        var type = MediaTypeHeaderValue.Parse(media.ContentType).MediaType.Value!;
        var disposition = new ContentDispositionHeaderValue(s_inline.Contains(type) ? "inline" : "attachment");
        if (fileName != null)
        {
            disposition.SetHttpFileName(fileName);
        }
        headers.ContentDisposition = disposition.ToString();
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = media.Authenticated ? "private, max-age=86400, immutable" : "public, max-age=86400, immutable";
    }
}
