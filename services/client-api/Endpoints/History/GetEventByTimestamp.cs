using System.Globalization;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v1/rooms/{roomId}/timestamp_to_event</c></summary>
static class GetEventByTimestamp
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/rooms/{roomId}/timestamp_to_event", Handle);

    static async Task<Response> Handle(
        RoomId roomId, HttpContext context, Requester requester, RoomReader rooms, NearEvents near, RemotePast past, CancellationToken ct)
    {
        var forwards = HistoryQuery.Direction(context) == TimelineDirection.Forwards;
        var ts = Timestamp(context);
        var view = await rooms.Open(roomId, requester.UserId, ct);
        var found = await near.Find(view, ts, forwards, ct);
        if (await past.BringNear(view, ts, forwards, found?.OriginServerTs, ct))
            found = await near.Find(await rooms.Open(roomId, requester.UserId, ct), ts, forwards, ct);
        return found is null ? throw MatrixException.NotFound("There is no event near this time.") : new Response(found.EventId, found.OriginServerTs);
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
