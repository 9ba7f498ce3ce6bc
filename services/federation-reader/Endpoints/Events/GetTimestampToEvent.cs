using System.Globalization;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary><c>GET /_matrix/federation/v1/timestamp_to_event/{roomId}</c>: the event nearest to a time.</summary>
static class GetTimestampToEvent
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/timestamp_to_event/{roomId}", Handle);

    static async Task<Response> Handle(
        RoomId roomId, HttpContext context, Origin origin, FederatedRooms rooms, TimelineStore timelines, EventStore events, CancellationToken ct)
    {
        var forwards = (string?)context.Request.Query["dir"] switch
        {
            "f" => true,
            "b" => false,
            null or "" => throw MatrixException.MissingParam("dir"),
            _ => throw MatrixException.InvalidParam("'dir' must be b or f."),
        };
        var ts = long.TryParse(context.Request.Query["ts"], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed)
            ? parsed : throw MatrixException.InvalidParam("'ts' must be a whole number.");
        var room = await rooms.Open(roomId, origin, ct);
        return await timelines.ListNear(room.RoomNid, ts, forwards, 0, 1, ct) is [var place] && (await events.Get([place.EventNid], ct)).Values.FirstOrDefault() is { } e
            ? new Response(e.EventId, e.OriginServerTs)
            : throw MatrixException.NotFound("There is no event on that side of that time.");
    }

    sealed record Response(EventId EventId, long OriginServerTs);
}
