using Matrix.Http;
using Matrix.MediaRepo.Serving;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}: the same under another file name.</summary>
static class DownloadMediaAs
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapMethods("/_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}", Reading.Methods, Handle);

    static Task Handle(HttpContext context, ServerName serverName, string mediaId, string fileName, AskedMedia _, Requester __, MediaServing media, CancellationToken ct) =>
        media.Download(context, serverName, mediaId, fileName, withToken: true, ct);
}
