using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>POST /_matrix/media/v3/upload: keeps the body, of any type, up to <c>max_upload_size</c>.</summary>
static class UploadMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/media/v3/upload", Handle);

    static async Task<Response> Handle(HttpContext context, string? filename, Requester requester, MediaUpload upload, CancellationToken ct) =>
        new(await upload.Receive(context, filename, requester, ct));

    sealed record Response(MxcUri ContentUri);
}
