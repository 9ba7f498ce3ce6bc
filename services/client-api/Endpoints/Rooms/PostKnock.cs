using Matrix.Http;
using Matrix.Rooms;
using Matrix.Rooms.Joining;
using Microsoft.AspNetCore.Mvc;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/knock/{roomIdOrAlias}</summary>
static class PostKnock
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/knock/{roomIdOrAlias}", Handle);

    static async Task<RoomIdResponse> Handle(
        string roomIdOrAlias, [FromQuery] string[]? via, [FromQuery(Name = "server_name")] string[]? serverName, Body<ReasonRequest>? body, Requester requester,
        RoomMembership rooms, RemoteAliases aliases, RateLimits limits, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        requester.MustNotBeSuspended();
        await limits.CheckKnock(requester, ct);
        var (roomId, servers) = await aliases.Resolve(roomIdOrAlias, MembershipRequests.Servers(via is { Length: > 0 } ? via : serverName), ct);
        await rooms.Knock(roomId, requester.Asks(body?.Value.Reason), ct, servers);
        return new RoomIdResponse(roomId);
    }
}
