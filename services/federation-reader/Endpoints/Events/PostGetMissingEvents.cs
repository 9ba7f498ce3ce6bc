using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Access;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary><c>POST /_matrix/federation/v1/get_missing_events/{roomId}</c>: what lies between events, oldest first.</summary>
static class PostGetMissingEvents
{
    const int MaxLimit = 100, MaxIds = 100;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/federation/v1/get_missing_events/{roomId}", Handle);

    static async Task Handle(
        RoomId roomId, Body<Request> body, HttpContext context, Origin origin, FederatedRooms rooms, EventGraphStore graph, EventStore events,
        ServerVisibility visibility, CancellationToken ct)
    {
        var request = body.Value;
        if (request.EarliestEvents.Count > MaxIds || request.LatestEvents.Count > MaxIds)
            throw MatrixException.InvalidParam($"More than {MaxIds} events.");
        var room = await rooms.Open(roomId, origin, ct);
        var nids = await graph.ListBetween(
            room.RoomNid, request.EarliestEvents, request.LatestEvents, request.MinDepth, Math.Clamp(request.Limit, 0, MaxLimit), ct);
        var found = await events.Get([.. nids], ct);
        var shown = found.Values.Where(e => e.Rejected is null).OrderBy(e => e.Depth).ThenBy(e => e.EventNid).ToList();
        await PduAnswer.SendList(context, "events", await visibility.Show(origin.Server, shown, ct), ct);
    }

    sealed record Request(IReadOnlyList<EventId> EarliestEvents, IReadOnlyList<EventId> LatestEvents, int Limit = 10, long MinDepth = 0);
}
