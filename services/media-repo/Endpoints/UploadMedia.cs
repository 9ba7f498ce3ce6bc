using Matrix.Http;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>POST /_matrix/media/v3/upload: keeps the body, of any type, up to <c>max_upload_size</c>.</summary>
static class UploadMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/media/v3/upload", Handle);

    static Task<Uploaded> Handle(HttpContext context, string? filename, Requester requester, MediaUpload upload, CancellationToken ct) =>
        upload.Receive(context, filename, requester, ct);
}
