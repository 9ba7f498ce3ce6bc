using Matrix.ClientApi.Sync.Typing;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Typing;

/// <summary>PUT /_matrix/client/v3/rooms/{roomId}/typing/{userId}</summary>
static class PutTyping
{
    const long Default = 30_000;
    const long Longest = 120_000;

    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/rooms/{roomId}/typing/{userId}", Handle);

    static async Task<Response> Handle(
        RoomId roomId, UserId userId, Body<Request> body, Requester requester, RoomFinder rooms, RoomSights sights, TypingRooms typing,
        CancellationToken ct)
    {
        requester.MustBe(userId);
        var room = await rooms.Find(roomId, ct);
        if (room is null || !(await sights.Get(room.RoomNid, userId.ToString(), ct)).IsJoined)
            throw MatrixException.Forbidden("You are not in this room.");
        var duration = body.Value.Typing ? Math.Clamp(body.Value.Timeout ?? Default, 1, Longest) : 0;
        typing.Set(room.RoomNid, userId.ToString(), TimeSpan.FromMilliseconds(duration));
        return new Response();
    }

    /// <param name="Timeout">Milliseconds.</param>
    sealed record Request(bool Typing, long? Timeout);

    sealed record Response;
}
