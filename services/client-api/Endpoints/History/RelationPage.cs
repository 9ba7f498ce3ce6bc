using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Relations;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>Answers the three forms of the Relationships API.</summary>
sealed class RelationPage(
    EventReader reader, RelationStore relations, EventCache events, VisibilityFilter visibility, Bundles bundles, TimeProvider time)
{
    const int DefaultLimit = 20;
    const int MostDepth = 3;

    /// <param name="relType">Null: all; so is <paramref name="eventType"/>.</param>
    public async Task Send(
        RoomId roomId, EventId eventId, string? relType, string? eventType, HttpContext context, Requester requester, CancellationToken ct)
    {
        var forwards = HistoryQuery.Direction(context, TimelineDirection.Backwards) == TimelineDirection.Forwards;
        var (from, to) = (HistoryQuery.Token(context, "from"), HistoryQuery.Token(context, "to"));
        var recurse = HistoryQuery.Boolean(context, "recurse");
        var limit = Math.Max(1, HistoryQuery.Limit(context, DefaultLimit));
        var batch = new EventBatch();
        var (view, parent) = await reader.Get(roomId, eventId, requester, batch, ct);
        var range = forwards ? view.Range(from ?? long.MinValue, to ?? long.MaxValue) : view.Range(to ?? long.MinValue, from ?? long.MaxValue);
        var places = await relations.List(
            new RelationQuery(view.RoomNid, parent.EventId, relType, eventType, recurse == true ? MostDepth : 1, range.After, range.UpTo, forwards, limit + 1), ct);

        long[] nids = [.. places.Take(limit).Select(place => place.EventNid)];
        await events.LoadToShow(batch, nids, ct);
        var shown = await visibility.Filter(batch.List(nids), view.UserId, view.Sight, ct);
        await bundles.Fill(batch, shown, view.UserId, _ => view.Sight, ct);
        var last = places.Count > limit ? places[limit - 1].Position : 0;
        var answer = new EventAnswer(requester, batch, time)
            .Events("chunk", shown)
            .Text("next_batch", places.Count > limit ? HistoryQuery.Format(forwards ? last : last - 1) : null)
            .Text("prev_batch", from is { } start ? HistoryQuery.Format(start) : null);
        if (recurse is not null)
            answer.Number("recursion_depth", recurse.Value ? MostDepth : 0);
        await answer.Send(context, ct);
    }
}
