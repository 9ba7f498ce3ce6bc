using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary><c>GET /_matrix/federation/v1/state/{roomId}</c>: the state before an event, with its auth chain.</summary>
static class GetState
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/state/{roomId}", Handle);

    static async Task Handle(
        RoomId roomId, HttpContext context, Origin origin, FederatedRooms rooms, StateBefore states, PduAnswer answer, CancellationToken ct)
    {
        var (state, chain) = await states.Find(await rooms.Open(roomId, origin, ct), StateBefore.Demand(context), ct);
        await answer.Send(context, [("pdus", state), ("auth_chain", chain)], ct);
    }
}
