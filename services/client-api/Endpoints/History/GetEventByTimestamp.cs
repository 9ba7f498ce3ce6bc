using System.Globalization;
using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v1/rooms/{roomId}/timestamp_to_event</c></summary>
static class GetEventByTimestamp
{
    const int Chunk = 20;

    /// <summary>So many events near the time are looked at for one that the user may see.</summary>
    const int MostLooked = 500;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/rooms/{roomId}/timestamp_to_event", Handle);

    static async Task<Response> Handle(
        RoomId roomId, HttpContext context, Requester requester, RoomReader rooms, TimelineStore timelines, EventCache events,
        VisibilityFilter visibility, CancellationToken ct)
    {
        var forwards = HistoryQuery.Direction(context) == TimelineDirection.Forwards;
        var ts = Timestamp(context);
        var view = await rooms.Open(roomId, requester.UserId, ct);
        for (var offset = 0; offset < MostLooked; offset += Chunk)
        {
            var places = (await timelines.ListNear(view.RoomNid, ts, forwards, offset, Chunk, ct))
                .Where(place => place.Position <= view.Until && view.Sight.Includes(place.Position)).Select(place => place.EventNid).ToArray();
            var batch = new EventBatch();
            await events.Load(batch, places, ct);
            if (await visibility.Filter(batch.List(places), view.UserId, view.Sight, ct) is [var found, ..])
                return new Response(found.EventId, found.OriginServerTs);
        }
        throw MatrixException.NotFound("There is no event near this time.");
    }

    static long Timestamp(HttpContext context)
    {
        string? ts = context.Request.Query["ts"];
        if (string.IsNullOrEmpty(ts))
            throw MatrixException.MissingParam("ts");
        return long.TryParse(ts, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value : throw MatrixException.InvalidParam("'ts' must be a whole number.");
    }

    sealed record Response(string EventId, long OriginServerTs);
}
