using System.Globalization;
using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Sync;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Peeking;

/// <summary>GET /_matrix/client/v3/events: waits for what happens in one room (<c>room_id</c>), which the user need not have joined if everybody may read it.</summary>
static class GetEvents
{
    const int MostEvents = 50, LongestTimeout = 120_000;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/events", Handle);

    static async Task Handle(
        HttpContext context, Requester requester, RoomReader rooms, TimelineReader timelines, SyncHub hub, CatchUp catchUp, LogFollower follower,
        Shutdown shutdown, TimeProvider time, CancellationToken ct)
    {
        var roomId = Room(context);
        var timeout = Timeout(context);
        var from = HistoryQuery.Token(context, "from");
        await catchUp.ToNow(ct);
        var start = from ?? hub.Position.Value;
        var began = time.GetTimestamp();
        while (true)
        {
            // asked anew each time: who could read a moment ago may no longer
            var view = await rooms.Open(roomId, requester.UserId, ct);
            using var news = new RoomNews(follower, view.RoomNid);
            var now = hub.Position.Value;
            var batch = new EventBatch();
            var page = await timelines.Read(
                view.Range(start, Math.Max(start, now)), TimelineDirection.Forwards, RoomEventFilter.Default, MostEvents, batch, ct);
            var left = timeout - time.GetElapsedTime(began);
            if (page.Events.Count == 0 && left > TimeSpan.Zero && await news.Wait(left, shutdown, time, ct)) continue;
            await new EventAnswer(requester, batch, time)
                .Text("start", HistoryQuery.Format(start))
                .Text("end", HistoryQuery.Format(page.More ? page.Edge.Position : Math.Max(start, now)))
                .Events("chunk", page.Events)
                .Send(context, ct);
            return;
        }
    }

    static RoomId Room(HttpContext context)
    {
        string? room = context.Request.Query["room_id"];
        if (string.IsNullOrEmpty(room)) throw MatrixException.MissingParam("room_id");
        return RoomId.TryParse(room, out var id) ? id : throw MatrixException.InvalidParam("'room_id' is no room id.");
    }

    static TimeSpan Timeout(HttpContext context)
    {
        string? timeout = context.Request.Query["timeout"];
        if (string.IsNullOrEmpty(timeout)) return TimeSpan.Zero;
        return long.TryParse(timeout, NumberStyles.None, CultureInfo.InvariantCulture, out var ms)
            ? TimeSpan.FromMilliseconds(Math.Min(ms, LongestTimeout)) : throw MatrixException.InvalidParam("'timeout' must be a number of milliseconds.");
    }
}
