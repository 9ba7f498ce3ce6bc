using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.MediaRepo.Lifecycle;
using Microsoft.AspNetCore.Mvc;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/media/delete: deletes media of this server that nobody has read since a time.</summary>
static class DeleteOldMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/media/delete", Handle);

    static async Task<DeletedMediaIds> Handle(
        [FromQuery(Name = "before_ts")] long? beforeTs, [FromQuery(Name = "size_gt")] long? sizeGt, [FromQuery(Name = "keep_profiles")] bool? keepProfiles,
        Requester requester, MediaDeletion deletion, CancellationToken ct)
    {
        requester.MustBeAdmin();
        if (sizeGt < 0)
            throw MatrixException.InvalidParam("size_gt must not be negative.");
        return new DeletedMediaIds(await deletion.DeleteLocal(AdminTimes.Before(beforeTs), sizeGt ?? 0, keepProfiles ?? true, ct));
    }
}
