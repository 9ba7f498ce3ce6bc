using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/quarantine_media/{roomId}: serves none of the media that a room shows.</summary>
static class OldQuarantineRoomMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/quarantine_media/{roomId}", Handle);

    static async Task<QuarantinedMedia> Handle(RoomId roomId, Requester requester, RoomMedia media, MediaAdminStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        return new QuarantinedMedia(await store.Quarantine(await media.List(roomId, ct), requester.UserId, ct));
    }
}
