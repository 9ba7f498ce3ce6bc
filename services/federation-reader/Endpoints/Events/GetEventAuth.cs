using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Resolution;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary><c>GET /_matrix/federation/v1/event_auth/{roomId}/{eventId}</c>: the whole auth chain of an event.</summary>
static class GetEventAuth
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/event_auth/{roomId}/{eventId}", Handle);

    static async Task Handle(
        RoomId roomId, EventId eventId, HttpContext context, Origin origin, FederatedRooms rooms, EventStore events, AuthChains chains, PduAnswer answer,
        CancellationToken ct)
    {
        var room = await rooms.Open(roomId, origin, ct);
        if (await events.FindInRoom(room.RoomNid, [eventId], ct) is not [var stored])
            throw MatrixException.NotFound("There is no such event here.");
        var chain = await chains.List(room, Pdu.FromStored(stored.EventId, stored.Json, stored.Rules), ct);
        await answer.Send(context, [("auth_chain", chain)], ct);
    }
}
