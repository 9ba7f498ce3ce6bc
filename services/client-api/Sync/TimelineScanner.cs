using Matrix.ClientApi.Sync.Filters;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>A walk along a range, which goes on until one event more than wanted is found, or enough was looked at for one request.</summary>
/// <param name="wanted">What Postgres filters; null: nothing.</param>
sealed class TimelineScanner(TimelineRange range, TimelineDirection direction, int limit, EventsWanted? wanted)
{
    // A filter that lets little pass is not followed for ever: the client pages on from where the search ended.
    const int MostScanned = 1000;
    const int MostScannedByPostgres = 10_000;
    const int FirstScan = 500;
    const int Chunk = 100;

    readonly bool forwards = direction == TimelineDirection.Forwards;
    readonly bool acrossGaps = direction == TimelineDirection.Forwards || range.AcrossGaps;
    readonly List<EncodedEvent> taken = [];
    readonly List<EncodedEvent> hidden = [];
    List<TimelinePlace> pending = [.. range.Known];
    long? gap;
    long? reachedAfterPending;
    int scanned;
    int scan = FirstScan;

    public TimelineRange Range => range;

    /// <summary>The place until which everything was looked at.</summary>
    public long Reached { get; private set; } = direction == TimelineDirection.Forwards ? range.After : range.UpTo;

    /// <summary>What is pending is the rest of the range.</summary>
    public bool Complete { get; private set; } = range.Complete;

    /// <summary>Leaves what lies below a gap to who asks for it once it is filled.</summary>
    public void StopAtKnownGap()
    {
        if (acrossGaps || pending.FindIndex(place => place.AfterGap) is not (>= 0 and var last))
            return;
        pending = pending[..(last + 1)];
        (gap, Complete) = (pending[last].Position, true);
    }

    public bool Done => taken.Count > limit || scanned >= (wanted is null ? MostScanned : MostScannedByPostgres);

    public List<TimelinePlace> Next()
    {
        var next = pending[..Math.Min(Math.Max(Chunk, limit + 1), pending.Count)];
        pending = pending[next.Count..];
        if (wanted is null)
            scanned += next.Count;
        return next;
    }

    public void Passed(long position)
    {
        Reached = Beyond(position);
        if (pending.Count == 0 && reachedAfterPending is { } end)
            Reached = Beyond(end);
    }

    /// <summary>Reads on, when nothing is pending.</summary>
    public async Task Fetch(TimelineStore store, CancellationToken ct)
    {
        var (after, upTo) = forwards ? (Reached, range.UpTo) : (range.After, Reached);
        List<(long After, long UpTo)> stretches = range.Sight is { } sight ? [.. sight.Within(after, upTo)] : after < upTo ? [(after, upTo)] : [];
        if (!forwards)
            stretches.Reverse();
        if (stretches.Count == 0)
        {
            Complete = true;
            return;
        }
        var asked = new TimelineStretches(range.RoomNid, [.. stretches.Select(s => s.After)], [.. stretches.Select(s => s.UpTo)], forwards, acrossGaps);
        var found = wanted is null
            ? await store.List(asked, Math.Min(Chunk, limit + 1), ct)
            : await store.Find(asked, wanted, limit + 1 - taken.Count, scan, ct);
        (Complete, gap) = (found.Reached is null, found.Gap);
        pending = [.. found.Places];
        reachedAfterPending = found.Reached;
        if (wanted is not null)
        {
            scanned += found.Scanned;
            scan = MostScannedByPostgres - scanned;
        }
        if (pending.Count == 0 && found.Reached is { } end)
            Reached = Beyond(end);
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
        else if (gap is { } above && pending.Count == 0 && Complete)
            return new TimelinePage(taken, true, new TimelineEdge(above - 1, AtGap: true), [.. hidden]);
        var more = full || pending.Count > 0 || !Complete;
        var edge = full ? taken.Count > 0 ? Beyond(taken[^1].Position!.Value) : forwards ? range.After : range.UpTo
            : more ? Reached
            : forwards ? range.UpTo
            : range.After > long.MinValue ? range.After
            : taken.Count > 0 ? Beyond(taken[^1].Position!.Value)
            : Math.Min(Reached, range.UpTo);
        return new TimelinePage(taken, more, new TimelineEdge(edge), [.. hidden.Where(e => forwards ? e.Position <= edge : e.Position > edge)]);
    }

    // A token stands between two events: the place after this one on the way.
    long Beyond(long position) => forwards ? position : position - 1;
}
