using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary><c>GET /_matrix/federation/v1/state_ids/{roomId}</c>: the ids of the state before an event, and of its auth chain.</summary>
static class GetStateIds
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/state_ids/{roomId}", Handle);

    static async Task<Response> Handle(
        RoomId roomId, HttpContext context, Origin origin, FederatedRooms rooms, StateBefore states, EventGraphStore events, CancellationToken ct)
    {
        var (state, chain) = await states.Find(await rooms.Open(roomId, origin, ct), StateBefore.Demand(context), ct);
        return new Response(await events.ListIds(state, ct), await events.ListIds(chain, ct));
    }

    sealed record Response(IReadOnlyList<string> PduIds, IReadOnlyList<string> AuthChainIds);
}
