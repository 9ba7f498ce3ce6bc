using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/forget</summary>
static class PostForget
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/forget", Handle);

    static async Task<Empty> Handle(RoomId roomId, Requester requester, RoomMembership rooms, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await rooms.Forget(roomId, requester.UserId, ct);
        return default;
    }
}
