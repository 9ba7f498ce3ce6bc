using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Relations;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v1/rooms/{roomId}/threads</c></summary>
static class GetThreads
{
    const int DefaultLimit = 20;
    const int MostLimit = 100;

    /// <summary>So many threads are looked at for those that the user takes part in; the client goes on from there.</summary>
    const int MostScanned = 1000;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/rooms/{roomId}/threads", Handle);

    static async Task Handle(
        RoomId roomId, string? include, HttpContext context, Requester requester, RoomReader rooms, RelationStore relations, EventCache events,
        VisibilityFilter visibility, IgnoredUsers ignoredUsers, Bundles bundles, TimeProvider time, CancellationToken ct)
    {
        var participated = include switch
        {
            null or "" or "all" => false,
            "participated" => true,
            _ => throw MatrixException.InvalidParam("'include' must be all or participated."),
        };
        var limit = Math.Clamp(HistoryQuery.Limit(context, DefaultLimit), 1, MostLimit);
        var from = HistoryQuery.Token(context, "from");
        var view = await rooms.Open(roomId, requester.UserId, ct);
        var looked = participated ? MostScanned : limit + 1;
        var before = Math.Min(from ?? long.MaxValue, view.Until == long.MaxValue ? long.MaxValue : view.Until + 1);
        var found = await relations.ListThreads(view.RoomNid, before, participated ? view.UserId : null, looked, ct);
        List<ThreadPlace> page = [.. found.Where(thread => thread.Participated).Take(limit)];
        var last = page.Count == limit ? page[^1] : found.Count == looked ? found[^1] : null;
        var more = last is not null && (found.Count == looked || last != found[^1]);

        var batch = new EventBatch();
        long[] nids = [.. page.Select(thread => thread.EventNid).OfType<long>()];
        await events.LoadToShow(batch, nids, ct);
        var ignored = await ignoredUsers.Get(view.UserId, ct);
        var roots = await visibility.FilterWithIgnored(batch.List(nids), view.Sight, ct);
        await bundles.Fill(batch, roots, view.UserId, _ => view.Sight, ct);
        await new EventAnswer(requester, batch, time)
            .Events("chunk", roots.Select(e => ignored.Contains(e.Sender) ? e.Redact() : e))
            .Text("next_batch", more ? HistoryQuery.Format(last!.Position) : null)
            .Send(context, ct);
    }
}
