using Matrix.ClientApi.Sync.Filters;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Which part of a room's timeline is wanted, and by whom: the events in (After, UpTo].</summary>
/// <param name="Known">The first events of the range in the direction of reading, if there are any at hand.</param>
/// <param name="Complete"><paramref name="Known"/> is all there is in the range.</param>
/// <param name="VisibleUntil">For a user who may not see everything in the range: see <see cref="VisibilityFilter.Filter"/>. Null: all is visible.</param>
sealed record TimelineRange(
    long RoomNid, long After, long UpTo, IReadOnlyList<TimelinePlace> Known, bool Complete, string UserId, long? VisibleUntil);

/// <summary>Events in the order of reading.</summary>
/// <param name="More">There is more in the range.</param>
/// <param name="Edge">The place to go on from.</param>
/// <param name="HiddenState">State events that the filter kept out, up to the edge.</param>
sealed record TimelinePage(IReadOnlyList<EncodedEvent> Events, bool More, long Edge, IReadOnlyList<EncodedEvent> HiddenState);

/// <summary>Reads the events of a range, from either end, that pass a filter and that the user may see.</summary>
sealed class TimelineReader(SyncStore store, EventCache events, VisibilityFilter visibility)
{
    // A filter that lets little pass is not followed for ever: the client pages on from where the search ended.
    const int MostScanned = 1000;
    const int Chunk = 100;

    /// <summary>Fetches events that several reads will look at.</summary>
    public ValueTask Prefetch(IReadOnlyCollection<long> nids, EventBatch batch, CancellationToken ct) => events.LoadToShow(batch, nids, ct);

    /// <summary>The newest events of the range, oldest first.</summary>
    public async Task<Timeline> ReadNewest(TimelineRange range, RoomEventFilter filter, int limit, EventBatch batch, CancellationToken ct)
    {
        var page = await Read(range, TimelineDirection.Backwards, filter, limit, batch, ct);
        return new Timeline([.. page.Events.Reverse()], page.More, page.Edge, [.. page.HiddenState.Reverse()]);
    }

    public async Task<TimelinePage> Read(
        TimelineRange range, TimelineDirection direction, RoomEventFilter filter, int limit, EventBatch batch, CancellationToken ct)
    {
        var scan = new Scan(range, direction == TimelineDirection.Forwards, limit);
        while (!scan.Done)
        {
            var places = scan.Next(Math.Max(Chunk, limit + 1));
            if (places.Count == 0)
            {
                if (scan.Complete)
                    break;
                var count = Math.Min(Chunk, limit + 1);
                scan.Add(direction == TimelineDirection.Forwards
                    ? await store.ListOldest(range.RoomNid, scan.Reached, range.UpTo, count, ct)
                    : await store.ListNewest([range.RoomNid], [range.After], [scan.Reached], count, ct), count);
                continue;
            }
            await events.LoadToShow(batch, [.. places.Select(place => place.EventNid)], ct);
            IReadOnlyList<EncodedEvent> found = batch.List(places.Select(place => place.EventNid));
            if (range.VisibleUntil is { } until)
                found = await visibility.Filter(found, range.UserId, until, ct);
            scan.Take(found, filter);
            scan.Passed(places[^1].Position);
        }
        return scan.Result();
    }

    /// <summary>A walk along the range, which goes on until one event more than wanted is found.</summary>
    sealed class Scan(TimelineRange range, bool forwards, int limit)
    {
        readonly List<EncodedEvent> taken = [];
        readonly List<EncodedEvent> hidden = [];
        List<TimelinePlace> pending = [.. range.Known];
        int scanned;

        /// <summary>The place until which everything was looked at.</summary>
        public long Reached { get; private set; } = forwards ? range.After : range.UpTo;

        /// <summary>What is pending is the rest of the range.</summary>
        public bool Complete { get; private set; } = range.Complete;

        public bool Done => taken.Count > limit || scanned >= MostScanned;

        public List<TimelinePlace> Next(int count)
        {
            var next = pending[..Math.Min(count, pending.Count)];
            pending = pending[next.Count..];
            scanned += next.Count;
            return next;
        }

        public void Passed(long position) => Reached = Beyond(position);

        public void Add(IReadOnlyList<TimelinePlace> places, int asked)
        {
            Complete = places.Count < asked;
            pending = [.. places];
        }

        public void Take(IReadOnlyList<EncodedEvent> found, RoomEventFilter filter)
        {
            foreach (var e in found)
            {
                if (taken.Count > limit)
                    break;
                if (filter.Passes(e))
                    taken.Add(e);
                else if (e.IsState)
                    hidden.Add(e);
            }
        }

        public TimelinePage Result()
        {
            var full = taken.Count > limit;
            if (full)
                taken.RemoveAt(limit);
            var more = full || pending.Count > 0 || !Complete;
            var edge = full ? taken.Count > 0 ? Beyond(taken[^1].Position!.Value) : forwards ? range.After : range.UpTo
                : more ? Reached
                : forwards ? range.UpTo
                : range.After > long.MinValue ? range.After
                : taken.Count > 0 ? Beyond(taken[^1].Position!.Value)
                : Math.Min(Reached, range.UpTo);
            return new TimelinePage(taken, more, edge, [.. hidden.Where(e => forwards ? e.Position <= edge : e.Position > edge)]);
        }

        // A token stands between two events: the place after this one on the way.
        long Beyond(long position) => forwards ? position : position - 1;
    }
}
