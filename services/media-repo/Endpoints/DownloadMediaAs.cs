using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}: the same under another file name.</summary>
static class DownloadMediaAs
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}", Handle);

    static Task<IResult> Handle(HttpContext context, ServerName serverName, string mediaId, string fileName, Requester _, MediaDownload media, CancellationToken ct) =>
        media.Serve(context, serverName, mediaId, fileName, withToken: true, ct);
}
