using Matrix.Http;
using Matrix.Rooms;
using Matrix.Rooms.Access;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary><c>GET /_matrix/federation/v1/event/{eventId}</c></summary>
static class GetEvent
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/event/{eventId}", Handle);

    static async Task Handle(
        EventId eventId, HttpContext context, Origin origin, FederatedRooms rooms, RoomFinder finder, EventStore events, ServerVisibility visibility,
        PduAnswer answer, CancellationToken ct)
    {
        var stored = await events.FindByEventId(eventId, ct);
        if (stored is not { Rejected: null } || await finder.List([stored.RoomNid], ct) is not [var room])
            throw MatrixException.NotFound("There is no such event here.");
        await rooms.Open(room.RoomId, origin, ct);
        await answer.SendTransaction(context, await visibility.Show(origin.Server, [stored], ct), ct);
    }
}
