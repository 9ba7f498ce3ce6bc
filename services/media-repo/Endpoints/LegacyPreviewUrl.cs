namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/media/v3/preview_url: <see cref="PreviewUrl"/> at its old path.</summary>
static class LegacyPreviewUrl
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/media/v3/preview_url", PreviewUrl.Handle);
}
