using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>GET /_matrix/client/v3/rooms/{roomId}/aliases</summary>
static class GetRoomAliases
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/rooms/{roomId}/aliases", Handle);

    static async Task<Response> Handle(RoomId roomId, Requester requester, RoomFinder rooms, RoomSummaryStore summaries, MembershipStore memberships,
        AliasStore aliases, CancellationToken ct)
    {
        var room = await rooms.Find(roomId, ct) ?? throw RoomException.Forbidden("You are not in this room.");
        var isMember = await memberships.Find(room.RoomNid, requester.UserId, ct) is { Membership: "join" };
        if (!isMember && await summaries.Find(room.RoomNid, ct) is not { HistoryVisibility: "world_readable" })
            throw RoomException.Forbidden("You are not in this room.");
        return new Response(await aliases.List(room.RoomNid, ct));
    }

    sealed record Response(IReadOnlyList<string> Aliases);
}
