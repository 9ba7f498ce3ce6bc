using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/user/{userId}/media/quarantine: serves nothing of what a user uploaded.</summary>
static class QuarantineUserMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/user/{userId}/media/quarantine", Handle);

    static async Task<QuarantinedMedia> Handle(UserId userId, Requester requester, MediaAdminStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        return new QuarantinedMedia(await store.QuarantineOf(userId, requester.UserId, ct));
    }
}
