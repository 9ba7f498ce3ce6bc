using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Endpoints.Rooms;
using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Relations;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Peeking;

/// <summary>GET /_matrix/client/v3/rooms/{roomId}/initialSync: a look into a room whose history everybody may read, or into one's own.</summary>
static class GetRoomInitialSync
{
    const int DefaultLimit = 20;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/rooms/{roomId}/initialSync", Handle);

    static async Task Handle(
        RoomId roomId, HttpContext context, Requester requester, RoomReader rooms, TimelineReader timelines, StateOfPage states, Bundles bundles,
        RoomSummaryStore summaries, SyncHub hub, CatchUp catchUp, TimeProvider time, CancellationToken ct)
    {
        var limit = HistoryQuery.Limit(context, DefaultLimit);
        await catchUp.ToNow(ct);
        var view = await rooms.Open(roomId, requester.UserId, ct);
        var now = hub.Position.Value;
        var batch = new EventBatch();
        var page = await timelines.Read(view.Range(long.MinValue, now), TimelineDirection.Backwards, RoomEventFilter.Default, limit, batch, ct);
        var shown = page.Events.Reverse().ToList();
        await bundles.Fill(batch, shown, view.UserId, _ => view.Sight, ct);
        var root = await rooms.FindState(view, now, ct);
        var summary = await summaries.Find(view.RoomNid, ct);
        await new EventAnswer(requester, batch, time)
            .Text("room_id", roomId.ToString())
            .Text("membership", view.Sight.Current?.Membership)
            .Text("visibility", Visibility.Of(summary is { Published: true }))
            .Object("messages", inner => inner
                .Text("start", page.Edge.ToString())
                .Text("end", HistoryQuery.Format(now))
                .Events("chunk", shown))
            .Events("state", root is { } state ? await states.List(state, RoomEventFilter.Default, [], batch, ct) : [])
            .Events("account_data", [])
            .Send(context, ct);
    }
}
