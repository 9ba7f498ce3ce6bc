using Matrix.Http;
using Matrix.MediaRepo.Previews;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_matrix/client/v1/media/preview_url: what an address is about.</summary>
static class PreviewUrl
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/media/preview_url", Handle);

    public static async Task<IResult> Handle(string? url, long? ts, Requester requester, Previewer previewer, PreviewOptions options, CancellationToken ct)
    {
        if (!options.UrlPreviewEnabled)
            throw MatrixException.Unrecognized("This server shows no previews of addresses.");
        if (ts < 0)
            throw MatrixException.InvalidParam("ts must be a time in milliseconds since 1970.");
        return Results.Text(await previewer.Get(url ?? throw MatrixException.MissingParam("url"), requester.UserId, ct), "application/json");
    }
}
