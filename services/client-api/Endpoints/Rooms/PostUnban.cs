using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/unban</summary>
static class PostUnban
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/unban", Handle);

    static async Task<Empty> Handle(
        RoomId roomId, Body<TargetRequest> body, Requester requester, RoomMembership rooms, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await rooms.Unban(roomId, requester.Asks(body.Value.Reason), body.Value.UserId, ct);
        return default;
    }
}
