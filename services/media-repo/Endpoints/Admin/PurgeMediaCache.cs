using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.MediaRepo.Lifecycle;
using Microsoft.AspNetCore.Mvc;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/purge_media_cache: forgets media of other servers that nobody has read since a time.</summary>
static class PurgeMediaCache
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/purge_media_cache", Handle);

    static async Task<Response> Handle([FromQuery(Name = "before_ts")] long? beforeTs, Requester requester, MediaDeletion deletion, CancellationToken ct)
    {
        requester.MustBeAdmin();
        return new Response((await deletion.DeleteUnread(local: false, AdminTimes.Before(beforeTs), ct)).Count);
    }

    sealed record Response(int Deleted);
}
