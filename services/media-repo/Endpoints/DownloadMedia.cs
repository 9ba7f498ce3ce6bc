using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/client/v1/media/download/{serverName}/{mediaId}: a piece of media, for a client with a token.</summary>
static class DownloadMedia
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/client/v1/media/download/{serverName}/{mediaId}", Handle);

    static Task<IResult> Handle(HttpContext context, ServerName serverName, string mediaId, Requester _, MediaDownload media, CancellationToken ct) =>
        media.Serve(context, serverName, mediaId, fileName: null, withToken: true, ct);
}
