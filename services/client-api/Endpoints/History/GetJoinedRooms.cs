using Matrix.Http;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v3/joined_rooms</c></summary>
static class GetJoinedRooms
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/joined_rooms", Handle);

    static async Task<Response> Handle(Requester requester, SyncStore store, CancellationToken ct)
    {
        var rooms = await store.ListMemberships(requester.UserId.ToString(), ct);
        return new Response([.. rooms.Where(room => room.Membership == "join").Select(room => room.RoomId)]);
    }

    sealed record Response(IReadOnlyList<string> JoinedRooms);
}
