using Matrix.Federation;
using Matrix.Http;
using Matrix.MediaRepo.Serving;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>GET /_synapse/client/picture/{serverName}/{mediaId}: the small picture that a link in a mail names, without a token.</summary>
static class GetLinkedPicture
{
    public static void Map(IEndpointRouteBuilder app) => app.MapMethods($"{PictureLinks.Path}/{{serverName}}/{{mediaId}}", Reading.Methods, Handle);

    static Task Handle(HttpContext context, ServerName serverName, string mediaId, PictureLinks links, MediaServing media, CancellationToken ct)
    {
        if (!MxcUri.TryParse($"mxc://{serverName}/{mediaId}", out var picture) || !links.IsKey(picture, context.Request.Query["key"].ToString()))
            throw MatrixException.NotFound("No such picture.");
        return media.SmallPicture(context, serverName, mediaId, ct);
    }
}
