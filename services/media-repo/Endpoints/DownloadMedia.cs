using Matrix.Http;
using Matrix.MediaRepo.Serving;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/client/v1/media/download/{serverName}/{mediaId}: a piece of media, for a client with a token.</summary>
static class DownloadMedia
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapMethods("/_matrix/client/v1/media/download/{serverName}/{mediaId}", Reading.Methods, Handle);

    static Task Handle(HttpContext context, ServerName serverName, string mediaId, AskedMedia _, Requester __, MediaServing media, CancellationToken ct) =>
        media.Download(context, serverName, mediaId, fileName: null, withToken: true, ct);
}
