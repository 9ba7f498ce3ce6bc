using Matrix.Federation;
using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/room/{roomId}/media: the media that a room shows.</summary>
static class ListRoomMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/room/{roomId}/media", Handle);

    static async Task<Response> Handle(RoomId roomId, Requester requester, RoomMedia media, ServerSigningKey own, CancellationToken ct)
    {
        requester.MustBeAdmin();
        var all = (await media.List(roomId, ct)).ToLookup(uri => uri.Server == own.ServerName);
        return new Response([.. all[true]], [.. all[false]]);
    }

    sealed record Response(MxcUri[] Local, MxcUri[] Remote);
}
