using Matrix.Http;
using Matrix.MediaRepo.Serving;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}: a smaller copy of a picture.</summary>
static class GetThumbnail
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapMethods("/_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}", Reading.Methods, Handle);

    static Task Handle(HttpContext context, ServerName serverName, string mediaId, AskedMedia _, Requester __, MediaServing media, CancellationToken ct) =>
        media.Thumbnail(context, serverName, mediaId, withToken: true, ct);
}
