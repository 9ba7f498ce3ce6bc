using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/join</summary>
static class PostJoinRoom
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/join", Handle);

    static async Task<RoomIdResponse> Handle(
        RoomId roomId, Body<ReasonRequest>? body, Requester requester, RoomMembership rooms, RoomSuccession succession, RateLimits limits, CancellationToken ct)
    {
        requester.MustNotBeSuspended();
        await rooms.Join(roomId, requester.Asks(body?.Value.Reason), ct, admit: isRemote => limits.CheckJoin(requester, isRemote, ct));
        await succession.Follow(requester.UserId, roomId, ct);
        return new RoomIdResponse(roomId);
    }
}
