using Matrix.MediaRepo.Serving;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/media/v3/thumbnail/{serverName}/{mediaId}: a smaller copy of media from before <c>enable_authenticated_media</c>.</summary>
static class LegacyGetThumbnail
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapMethods("/_matrix/media/v3/thumbnail/{serverName}/{mediaId}", Reading.Methods, Handle);

    static Task Handle(HttpContext context, ServerName serverName, string mediaId, MediaServing media, CancellationToken ct) =>
        media.Thumbnail(context, serverName, mediaId, withToken: false, ct);
}
