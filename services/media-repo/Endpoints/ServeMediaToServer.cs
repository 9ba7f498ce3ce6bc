using Matrix.Http;
using Matrix.MediaRepo.Serving;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/federation/v1/media/download/{mediaId}: media of this server, for another one, as multipart/mixed.</summary>
static class ServeMediaToServer
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/media/download/{mediaId}", Handle);

    static Task Handle(HttpContext context, string mediaId, Origin _, MediaServing media, CancellationToken ct) =>
        media.DownloadForServer(context, mediaId, ct);
}
