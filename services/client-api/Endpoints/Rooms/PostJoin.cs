using Matrix.Http;
using Matrix.Rooms;
using Matrix.Rooms.Joining;
using Microsoft.AspNetCore.Mvc;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/join/{roomIdOrAlias}</summary>
static class PostJoin
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/join/{roomIdOrAlias}", Handle);

    static async Task<RoomIdResponse> Handle(
        string roomIdOrAlias, [FromQuery] string[]? via, [FromQuery(Name = "server_name")] string[]? serverName, Body<ReasonRequest>? body, Requester requester,
        RoomMembership rooms, RemoteAliases aliases, RoomSuccession succession, RateLimits limits, CancellationToken ct)
    {
        requester.MustNotBeSuspended();
        var (roomId, servers) = await aliases.Resolve(roomIdOrAlias, MembershipRequests.Servers(via is { Length: > 0 } ? via : serverName), ct);
        await rooms.Join(roomId, requester.Asks(body?.Value.Reason), ct, servers, isRemote => limits.CheckJoin(requester, isRemote, ct));
        await succession.Follow(requester.UserId, roomId, ct);
        return new RoomIdResponse(roomId);
    }
}
