using Matrix.Http;
using Matrix.MediaRepo.Serving;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/federation/v1/media/thumbnail/{mediaId}: a smaller copy of a picture of this server, for another one.</summary>
static class ServeThumbnailToServer
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/media/thumbnail/{mediaId}", Handle);

    static Task Handle(HttpContext context, string mediaId, Origin _, MediaServing media, CancellationToken ct) =>
        media.ThumbnailForServer(context, mediaId, ct);
}
