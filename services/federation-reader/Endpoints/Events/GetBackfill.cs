using System.Globalization;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Access;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary><c>GET /_matrix/federation/v1/backfill/{roomId}</c>: events and those before them.</summary>
static class GetBackfill
{
    const int MaxLimit = 100, MaxFrom = 100;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/backfill/{roomId}", Handle);

    static async Task Handle(
        RoomId roomId, HttpContext context, Origin origin, FederatedRooms rooms, EventGraphStore graph, EventStore events, ServerVisibility visibility,
        PduAnswer answer, CancellationToken ct)
    {
        var (from, limit) = (From(context), Limit(context));
        var room = await rooms.Open(roomId, origin, ct);
        var found = await events.Get([.. await graph.ListBefore(room.RoomNid, from, limit, ct)], ct);
        var shown = found.Values.Where(e => e.Rejected is null).OrderByDescending(e => e.Depth).ThenByDescending(e => e.EventNid).ToList();
        await answer.SendTransaction(context, await visibility.Show(origin.Server, shown, ct), ct);
    }

    static List<EventId> From(HttpContext context)
    {
        var from = new List<EventId>();
        foreach (var text in context.Request.Query["v"])
        {
            if (from.Count == MaxFrom)
                throw MatrixException.InvalidParam($"More than {MaxFrom} 'v'.");
            from.Add(EventId.TryParse(text, out var id) ? id : throw MatrixException.InvalidParam("'v' is no event id."));
        }
        return from.Count > 0 ? from : throw MatrixException.MissingParam("v");
    }

    static int Limit(HttpContext context) => (string?)context.Request.Query["limit"] switch
    {
        null or "" => throw MatrixException.MissingParam("limit"),
        var text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            ? Math.Min(limit, MaxLimit) : throw MatrixException.InvalidParam("'limit' must be a whole number, not negative."),
    };
}
