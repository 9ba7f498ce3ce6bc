using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/media/quarantine/{serverName}/{mediaId}: serves it no more, nor anything with the same bytes.</summary>
static class QuarantineMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/media/quarantine/{serverName}/{mediaId}", Handle);

    static async Task<Empty> Handle(ServerName serverName, string mediaId, Requester requester, MediaAdminStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        if (!MxcUri.TryParse($"mxc://{serverName}/{mediaId}", out var uri))
            throw MatrixException.InvalidParam("That is no media id.");
        await store.Quarantine([uri], requester.UserId, ct);
        return default;
    }
}
