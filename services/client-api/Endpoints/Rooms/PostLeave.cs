using Matrix.ClientApi.Notices;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/leave</summary>
static class PostLeave
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/leave", Handle);

    static async Task<Empty> Handle(
        RoomId roomId, Body<ReasonRequest>? body, Requester requester, RoomMembership rooms, ServerNotices notices, CancellationToken ct)
    {
        await notices.MustBeFreeToLeave(requester, roomId, ct);
        await rooms.Leave(roomId, requester.Asks(body?.Value.Reason), ct);
        return default;
    }
}
