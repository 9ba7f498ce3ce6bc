using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/media/{serverName}/{mediaId}: what is known of a piece of media.</summary>
static class GetMediaInfo
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/media/{serverName}/{mediaId}", Handle);

    static async Task<Response> Handle(ServerName serverName, string mediaId, Requester requester, MediaAdminStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        var media = await store.Find(serverName, mediaId, ct) ?? throw MatrixException.NotFound("Unknown media");
        return new Response(new Info(
            media.Origin, media.Uploader, media.MediaId, media.ContentType, media.Size, media.FileName, media.CreatedAt.ToUnixTimeMilliseconds(),
            media.LastAccess.ToUnixTimeMilliseconds(), media.QuarantinedBy, media.Authenticated, media.Protected, Convert.ToHexStringLower(media.ContentHash)));
    }

    sealed record Response(Info MediaInfo);

    sealed record Info(
        string MediaOrigin, string? UserId, string MediaId, string MediaType, long MediaLength, string? UploadName, long CreatedTs, long LastAccessTs,
        string? QuarantinedBy, bool Authenticated, bool SafeFromQuarantine, string Sha256);
}
