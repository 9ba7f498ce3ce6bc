using Matrix.MediaRepo.Serving;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/media/v3/download/{serverName}/{mediaId}: media from before <c>enable_authenticated_media</c>, without a token.</summary>
static class LegacyDownloadMedia
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapMethods("/_matrix/media/v3/download/{serverName}/{mediaId}", Reading.Methods, Handle);

    static Task Handle(HttpContext context, ServerName serverName, string mediaId, MediaServing media, CancellationToken ct) =>
        media.Download(context, serverName, mediaId, fileName: null, withToken: false, ct);
}
