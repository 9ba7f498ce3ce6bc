using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Rooms;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Peeking;

/// <summary>GET /_matrix/client/v3/events/{eventId}: an event by its id alone, as old clients ask for it.</summary>
static class GetEventById
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/events/{eventId}", Handle);

    static async Task Handle(
        EventId eventId, HttpContext context, Requester requester, EventStore store, RoomFinder rooms, EventReader events, TimeProvider time,
        CancellationToken ct)
    {
        if (await store.FindByEventId(eventId, ct) is not { } stored || await rooms.List([stored.RoomNid], ct) is not [var room])
            throw MatrixException.NotFound("Event not found.");
        var batch = new EventBatch();
        var (_, found) = await events.Get(room.RoomId, eventId, requester, batch, ct);
        await new EventAnswer(requester, batch, time).SendOnly(found, context, ct);
    }
}
