using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/media/v3/download/{serverName}/{mediaId}: media from before <c>enable_authenticated_media</c>, without a token.</summary>
static class LegacyDownloadMedia
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/media/v3/download/{serverName}/{mediaId}", Handle);

    static Task<IResult> Handle(HttpContext context, ServerName serverName, string mediaId, MediaDownload media, CancellationToken ct) =>
        media.Serve(context, serverName, mediaId, fileName: null, withToken: false, ct);
}
