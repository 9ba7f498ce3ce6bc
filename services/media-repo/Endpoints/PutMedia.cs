using System.Text.Json.Serialization;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>PUT /_matrix/media/v3/upload/{serverName}/{mediaId}: the bytes for a media id that <see cref="CreateMedia"/> gave out.</summary>
static class PutMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/media/v3/upload/{serverName}/{mediaId}", Handle);

    static async Task<Response> Handle(
        HttpContext context, ServerName serverName, string mediaId, string? filename, Requester requester, MediaUpload upload, CancellationToken ct) =>
        new(await upload.ReceivePending(context, serverName, mediaId, filename, requester, ct));

    sealed record Response([property: JsonPropertyName("xyz.amorgan.blurhash")] string? Blurhash);
}
