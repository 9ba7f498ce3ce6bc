using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Federation;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/federation/destinations/{destination}/rooms</summary>
static class GetDestinationRooms
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/federation/destinations/{destination}/rooms", Handle);

    static async Task<Response> Handle(
        ServerName destination, long? from, int? limit, string? dir, Requester requester, DestinationStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        await GetDestination.Find(store, destination, ct);
        var page = AdminPage.Read(from, limit, dir);
        var rooms = await store.ListRooms(destination.ToString(), page.Backwards, page.From, page.Limit, ct);
        var total = rooms.Count > 0 ? rooms[0].Total : 0;
        return new Response([.. rooms.Select(room => new SharedRoom(room.RoomId, room.Position))], total, page.Next(total));
    }

    sealed record SharedRoom(string RoomId, long StreamOrdering);

    sealed record Response(SharedRoom[] Rooms, long Total, string? NextToken);
}
