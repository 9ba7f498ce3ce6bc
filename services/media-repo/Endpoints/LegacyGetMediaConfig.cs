namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/media/v3/config: <see cref="GetMediaConfig"/> at its old path.</summary>
static class LegacyGetMediaConfig
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/media/v3/config", GetMediaConfig.Handle);
}
