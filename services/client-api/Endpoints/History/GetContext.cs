using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Relations;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v3/rooms/{roomId}/context/{eventId}</c></summary>
static class GetContext
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/rooms/{roomId}/context/{eventId}", Handle);

    static async Task Handle(
        RoomId roomId, EventId eventId, HttpContext context, Requester requester, EventReader events, RoomReader rooms, TimelineReader timelines,
        StateOfPage states, RemotePast past, Bundles bundles, TimeProvider time, CancellationToken ct)
    {
        var (filter, limit) = (HistoryQuery.Filter(context), HistoryQuery.Limit(context));
        var batch = new EventBatch();
        var (view, found) = await events.Get(roomId, eventId, requester, batch, ct);
        var at = found.Position!.Value;
        var before = await timelines.Read(view.Range(long.MinValue, at - 1), TimelineDirection.Backwards, filter, limit / 2, batch, ct);
        var after = await timelines.Read(view.Range(at, long.MaxValue), TimelineDirection.Forwards, filter, limit - limit / 2, batch, ct);
        if (await past.BringWithin(view, at, after, ct))
        {
            view = await rooms.Open(roomId, requester.UserId, ct);
            after = await timelines.Read(view.Range(at, long.MaxValue), TimelineDirection.Forwards, filter, limit - limit / 2, batch, ct);
        }

        IReadOnlyList<EncodedEvent> shown = [.. before.Events, found, .. after.Events];
        var last = after.Events.Count > 0 ? after.Events[^1].Position!.Value : at;
        var root = await rooms.FindState(view, last, ct);
        await bundles.Fill(batch, shown, view.UserId, _ => view.Sight, ct);
        await new EventAnswer(requester, batch, time)
            .Text("start", before.Edge.ToString())
            .Text("end", HistoryQuery.Format(after.More ? after.Edge.Position : last))
            .Events("events_before", before.Events)
            .Event("event", found)
            .Events("events_after", after.Events)
            .Events("state", root is { } state ? await states.List(state, filter, shown, batch, ct) : [])
            .Send(context, ct);
    }
}
