using Matrix.ClientApi.Sync;
using Matrix.Protocol;
using Matrix.Rooms.Fetching;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>
/// Goes on where a reader comes to events that are missing here, with what other servers have: at a gap in the timeline, and at the end of what this server knows
/// of a room. Nobody is asked for what the reader may not see.
/// </summary>
sealed class RemotePast(HistoryBackfill history, EventNearTime times, TimelineGapStore gaps)
{
    /// <summary>Pages that are fetched for one request into gaps that it reads across.</summary>
    const int MostPages = 3;

    /// <summary>Fills the gap that the reader begins at, as far as one page goes.</summary>
    public async ValueTask Bring(RoomView view, TimelineEdge edge, CancellationToken ct)
    {
        if (edge.AtGap && view.Sight.Includes(edge.Position))
            await history.Bring(view.Room, edge.Position + 1, ct);
    }

    /// <summary>Has something come into the gaps within a page that was read forwards?</summary>
    /// <param name="after">Where the page begins; null: at the oldest event that is here.</param>
    public async ValueTask<bool> BringWithin(RoomView view, long? after, TimelinePage page, CancellationToken ct)
    {
        var pages = 0;
        while (page.Events.Count > 0 && pages < MostPages)
        {
            var gap = await gaps.FindFirst(view.RoomNid, after ?? page.Events[0].Position!.Value, page.Events[^1].Position!.Value, ct);
            if (gap is not { } above || !view.Sight.Includes(above - 1) || !await history.Bring(view.Room, above, ct))
                break;
            pages++;
        }
        return pages > 0;
    }

    /// <summary>Has an event come that is nearer to a time than the one that was found?</summary>
    public async ValueTask<bool> BringNear(RoomView view, long ts, bool forwards, long? found, CancellationToken ct) =>
        await times.FindGap(view.Room, ts, ct) is { } above && view.Sight.Includes(above - 1) && await times.Bring(view.Room, above, ts, forwards, found, ct);

    /// <summary>Has something come that the reader may find below the page?</summary>
    /// <param name="from">Where the page begins.</param>
    public async ValueTask<bool> Bring(RoomView view, TimelineEdge? from, TimelinePage page, int limit, long? to, CancellationToken ct)
    {
        // at its beginning others have just been asked
        if (page.Events.Count >= limit || page.Events.Count == 0 && from is { AtGap: true })
            return false;
        if (page.Edge.AtGap)
            return view.Sight.Includes(page.Edge.Position) && await history.Bring(view.Room, page.Edge.Position + 1, ct);
        var isEnd = !page.More && to is null or <= 0;
        return isEnd && !page.Events.Any(e => e is { Type: EventTypes.Create, StateKey: "" }) && view.Sight.Includes(long.MinValue)
            && await history.Bring(view.Room, null, ct);
    }
}
