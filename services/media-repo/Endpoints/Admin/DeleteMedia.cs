using Matrix.Federation;
using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.MediaRepo.Lifecycle;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>DELETE /_synapse/admin/v1/media/{serverName}/{mediaId}: deletes a piece of media of this server.</summary>
static class DeleteMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_synapse/admin/v1/media/{serverName}/{mediaId}", Handle);

    static async Task<DeletedMediaIds> Handle(ServerName serverName, string mediaId, Requester requester, MediaDeletion deletion, ServerSigningKey own, CancellationToken ct)
    {
        requester.MustBeAdmin();
        if (serverName != own.ServerName)
            throw MatrixException.InvalidParam("Only media of this server can be deleted; purge_media_cache forgets that of others.");
        var deleted = await deletion.Delete(serverName, mediaId, ct);
        return deleted.Count > 0 ? new DeletedMediaIds(deleted) : throw MatrixException.NotFound("Unknown media");
    }
}
