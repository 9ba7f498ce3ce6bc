using Matrix.Http;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/knock/{roomIdOrAlias}</summary>
static class PostKnock
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/knock/{roomIdOrAlias}", Handle);

    static async Task<RoomIdResponse> Handle(
        string roomIdOrAlias, Body<ReasonRequest>? body, Requester requester, RoomMembership rooms, RoomAliases aliases, RateLimits limits,
        CancellationToken ct)
    {
        requester.MustNotBeGuest();
        requester.MustNotBeSuspended();
        await limits.CheckJoin(requester, ct);
        var roomId = await aliases.Resolve(roomIdOrAlias, ct);
        await rooms.Knock(roomId, requester.Asks(body?.Value.Reason), ct);
        return new RoomIdResponse(roomId);
    }
}
