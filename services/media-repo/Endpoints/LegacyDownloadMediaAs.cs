using Matrix.MediaRepo.Serving;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/media/v3/download/{serverName}/{mediaId}/{fileName}: the same under another file name.</summary>
static class LegacyDownloadMediaAs
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapMethods("/_matrix/media/v3/download/{serverName}/{mediaId}/{fileName}", Reading.Methods, Handle);

    static Task Handle(HttpContext context, ServerName serverName, string mediaId, string fileName, MediaServing media, CancellationToken ct) =>
        media.Download(context, serverName, mediaId, fileName, withToken: false, ct);
}
