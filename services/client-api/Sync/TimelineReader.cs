using Matrix.ClientApi.Sync.Filters;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Which part of a room's timeline is wanted, and by whom: the events in (After, UpTo].</summary>
/// <param name="Known">The first events of the range in the direction of reading, if there are any at hand.</param>
/// <param name="Complete"><paramref name="Known"/> is all there is in the range.</param>
/// <param name="Sight">Of a user who may not see everything in the range. Null: all is visible.</param>
sealed record TimelineRange(
    long RoomNid, long After, long UpTo, IReadOnlyList<TimelinePlace> Known, bool Complete, string UserId, Sight? Sight)
{
    /// <summary>Read on where events are missing between those that are here. Forwards that is always done.</summary>
    public bool AcrossGaps { get; init; }
}

/// <summary>A place between two events of a timeline, from which a reader goes on.</summary>
/// <param name="Position">Of the event before it, or any above that and below the event after it.</param>
/// <param name="AtGap">Events are missing there, below the one at the next position.</param>
readonly record struct TimelineEdge(long Position, bool AtGap = false)
{
    public override string ToString() => new SyncToken(new(Position)) { AtGap = AtGap }.ToTimelineString();
}

/// <summary>Events in the order of reading.</summary>
/// <param name="More">There is more in the range.</param>
/// <param name="Edge">The place to go on from.</param>
/// <param name="HiddenState">State events that the filter kept out, up to the edge.</param>
sealed record TimelinePage(IReadOnlyList<EncodedEvent> Events, bool More, TimelineEdge Edge, IReadOnlyList<EncodedEvent> HiddenState);

/// <summary>
/// Reads the events of a range, from either end, that pass a filter and that the user may see. What the user may not see is skipped without being
/// read; what a filter keeps out, Postgres keeps out, except for a reader who needs to know of the state that was passed over. Backwards a page ends where events
/// are missing, so that they can be asked for.
/// </summary>
sealed class TimelineReader(TimelineStore timelines, EventCache events, VisibilityFilter visibility)
{
    /// <summary>Fetches events that several reads will look at.</summary>
    public ValueTask Prefetch(IReadOnlyCollection<long> nids, EventBatch batch, CancellationToken ct) => events.LoadToShow(batch, nids, ct);

    /// <summary>The newest events of the range, oldest first.</summary>
    public async Task<Timeline> ReadNewest(TimelineRange range, RoomEventFilter filter, int limit, EventBatch batch, CancellationToken ct)
    {
        var page = await Read(new TimelineScanner(range, TimelineDirection.Backwards, limit, null), filter, batch, ct);
        return new Timeline([.. page.Events.Reverse()], page.More, page.Edge, [.. page.HiddenState.Reverse()]);
    }

    /// <summary>A page for a reader who takes no interest in what the filter keeps out.</summary>
    public Task<TimelinePage> Read(
        TimelineRange range, TimelineDirection direction, RoomEventFilter filter, int limit, EventBatch batch, CancellationToken ct) =>
        Read(new TimelineScanner(range, direction, limit, filter.ToWanted()), filter, batch, ct);

    async Task<TimelinePage> Read(TimelineScanner scan, RoomEventFilter filter, EventBatch batch, CancellationToken ct)
    {
        scan.StopAtKnownGap();
        while (!scan.Done)
        {
            var places = scan.Next();
            if (places.Count == 0)
            {
                if (scan.Complete)
                    break;
                await scan.Fetch(timelines, ct);
                continue;
            }
            long[] nids = [.. places.Select(place => place.EventNid)];
            await events.LoadTimeline(batch, nids, ct);
            IReadOnlyList<EncodedEvent> found = batch.List(nids);
            found = await visibility.Filter(found, scan.Range.UserId, scan.Range.Sight, ct);
            scan.Take(found, filter);
            scan.Passed(places[^1].Position);
        }
        return scan.Result();
    }
}
