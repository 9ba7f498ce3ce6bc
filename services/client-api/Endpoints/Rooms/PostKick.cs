using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/kick</summary>
static class PostKick
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/kick", Handle);

    static async Task<Empty> Handle(
        RoomId roomId, Body<TargetRequest> body, Requester requester, RoomMembership rooms, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await rooms.Kick(roomId, requester.Asks(body.Value.Reason), body.Value.UserId, ct);
        return default;
    }
}
