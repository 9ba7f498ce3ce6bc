using Matrix.Http;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/join/{roomIdOrAlias}</summary>
static class PostJoin
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/join/{roomIdOrAlias}", Handle);

    static async Task<RoomIdResponse> Handle(
        string roomIdOrAlias, Body<ReasonRequest>? body, Requester requester, RoomMembership rooms, RoomAliases aliases, RateLimits limits,
        CancellationToken ct)
    {
        requester.MustNotBeSuspended();
        await limits.CheckJoin(requester, ct);
        var roomId = await aliases.Resolve(roomIdOrAlias, ct);
        await rooms.Join(roomId, requester.Asks(body?.Value.Reason), ct);
        return new RoomIdResponse(roomId);
    }
}
