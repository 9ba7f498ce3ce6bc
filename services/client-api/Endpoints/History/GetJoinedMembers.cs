using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v3/rooms/{roomId}/joined_members</c></summary>
static class GetJoinedMembers
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/rooms/{roomId}/joined_members", Handle);

    static async Task<Response> Handle(RoomId roomId, Requester requester, RoomReader rooms, MembershipStore memberships, PartialRooms partial,
        CancellationToken ct)
    {
        var view = await rooms.Open(roomId, requester.UserId, ct);
        if (!view.IsJoined)
            throw MatrixException.Forbidden("You are not in this room.");
        await partial.UntilWhole(view.RoomNid, ct);
        var members = await memberships.ListInRoom(view.RoomNid, ["join"], ct);
        return new Response(members.ToDictionary(member => member.UserId, member => new Member(member.DisplayName, member.AvatarUrl)));
    }

    sealed record Response(Dictionary<string, Member> Joined);

    sealed record Member(string? DisplayName, string? AvatarUrl);
}
