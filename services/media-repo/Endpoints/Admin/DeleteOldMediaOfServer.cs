using Matrix.Federation;
using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.MediaRepo.Lifecycle;
using Microsoft.AspNetCore.Mvc;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/media/{serverName}/delete: deletes media of this server that nobody has read since a time.</summary>
static class DeleteOldMediaOfServer
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/media/{serverName}/delete", Handle);

    static async Task<DeletedMediaIds> Handle(
        string serverName, [FromQuery(Name = "before_ts")] long? beforeTs, [FromQuery(Name = "size_gt")] long? sizeGt, [FromQuery(Name = "keep_profiles")] bool? keepProfiles,
        Requester requester, MediaDeletion deletion, ServerSigningKey own, CancellationToken ct)
    {
        requester.MustBeAdmin();
        if (serverName != own.ServerName.ToString())
            throw MatrixException.InvalidParam("Only media of this server can be deleted; purge_media_cache forgets that of others.");
        if (sizeGt < 0)
            throw MatrixException.InvalidParam("size_gt must not be negative.");
        return new DeletedMediaIds(await deletion.DeleteLocal(AdminTimes.Before(beforeTs), sizeGt ?? 0, keepProfiles ?? true, ct));
    }
}
