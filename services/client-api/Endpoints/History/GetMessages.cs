using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Relations;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v3/rooms/{roomId}/messages</c></summary>
static class GetMessages
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/rooms/{roomId}/messages", Handle);

    static async Task Handle(
        RoomId roomId, HttpContext context, Requester requester, RoomReader rooms, TimelineReader timelines, StateOfPage states, RemotePast past,
        SyncHub hub, Bundles bundles, TimeProvider time, CancellationToken ct)
    {
        var (direction, filter, limit) = (HistoryQuery.Direction(context), HistoryQuery.Filter(context), HistoryQuery.Limit(context));
        var (edge, to) = (HistoryQuery.Edge(context, "from"), HistoryQuery.Token(context, "to"));
        var from = edge?.Position;
        var view = await rooms.Open(roomId, requester.UserId, ct);
        var forwards = direction == TimelineDirection.Forwards;
        if (!forwards && edge is { AtGap: true } gap)
        {
            await past.Bring(view, gap, ct);
            view = await rooms.Open(roomId, requester.UserId, ct);
        }
        var range = forwards
            ? view.Range(from ?? long.MinValue, to ?? long.MaxValue)
            : view.Range(to ?? long.MinValue, from ?? long.MaxValue);
        var batch = new EventBatch();
        if (filter.Limit is { } most)
            limit = Math.Min(most, limit);
        var page = await timelines.Read(range, direction, filter, limit, batch, ct);
        // what is known of the room ends here, or has a gap: others have more
        if (!forwards && await past.Bring(view, edge, page, limit, to, ct))
        {
            view = await rooms.Open(roomId, requester.UserId, ct);
            page = await timelines.Read(view.Range(to ?? long.MinValue, from ?? long.MaxValue), direction, filter, limit, batch, ct);
            page = page with { More = page.More || page.Events.Count > 0 };
        }
        else if (!forwards && page.Edge.AtGap && page.Events.Count < limit)
            page = await timelines.Read(range with { AcrossGaps = true }, direction, filter, limit, batch, ct); // nobody has them
        else if (forwards && await past.BringWithin(view, from, page, ct))
        {
            view = await rooms.Open(roomId, requester.UserId, ct);
            page = await timelines.Read(view.Range(from ?? long.MinValue, to ?? long.MaxValue), direction, filter, limit, batch, ct);
        }
        await bundles.Fill(batch, page.Events, view.UserId, _ => view.Sight, ct);

        var answer = new EventAnswer(requester, batch, time)
            .Text("start", HistoryQuery.Format(from ?? Start(page, forwards, hub)))
            .Text("end", page.More ? page.Edge.ToString() : null)
            .Events("chunk", page.Events);
        if (filter.LazyLoadMembers && page.Events.Count > 0)
        {
            var newest = forwards ? page.Events[^1] : page.Events[0];
            if (newest.StateBefore is { } state)
                answer.Events("state", await states.ListSenders(state, page.Events, batch, ct));
        }
        await answer.Send(context, ct);
    }

    // Without "from", from the very end: the page begins where the newest event is, or where the log is.
    static long Start(TimelinePage page, bool forwards, SyncHub hub) => page.Events.Count == 0 ? hub.Position.Value
        : forwards ? page.Events[0].Position!.Value - 1
        : Math.Max(hub.Position.Value, page.Events[0].Position!.Value);
}
