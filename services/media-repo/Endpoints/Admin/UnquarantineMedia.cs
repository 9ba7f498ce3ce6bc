using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/media/unquarantine/{serverName}/{mediaId}: serves it again, and all with the same bytes.</summary>
static class UnquarantineMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/media/unquarantine/{serverName}/{mediaId}", Handle);

    static async Task<Empty> Handle(ServerName serverName, string mediaId, Requester requester, MediaAdminStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        await store.Unquarantine(serverName, mediaId, ct);
        return default;
    }
}
