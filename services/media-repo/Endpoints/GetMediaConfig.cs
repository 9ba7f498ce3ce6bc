using System.Text.Json.Serialization;
using Matrix.Http;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/client/v1/media/config: how large an upload may be.</summary>
static class GetMediaConfig
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/media/config", Handle);

    public static Response Handle(Requester _, MediaOptions options) => new(options.MaxUploadSize);

    public sealed record Response([property: JsonPropertyName("m.upload.size")] long UploadSize);
}
