using System.Collections.Frozen;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Relations;

/// <summary>
/// Bundled aggregations (Client-Server API, "Aggregations of child events") for the events of an answer: without those whom the reader ignores and what
/// the reader may not see. State events get none.
/// </summary>
sealed class Bundles(AggregationCache aggregations, RelationStore store, EventCache events, VisibilityFilter visibility, IgnoredUsers ignoredUsers)
{
    /// <param name="sight">What the reader sees of a room; null: everything.</param>
    public async ValueTask Fill(EventBatch batch, IEnumerable<EncodedEvent> shown, string userId, Func<long, Sight?> sight, CancellationToken ct)
    {
        List<EncodedEvent> parents = [.. shown.Where(e => !e.IsState)];
        if (parents.Count == 0)
            return;
        var reader = new Reader(userId, await ignoredUsers.Get(userId, ct), sight);
        var own = await aggregations.Get(parents, ct);
        if (own.Count == 0)
            return;
        var threads = await ReadThreads(parents, own, reader, ct);
        var latest = await Load(batch, [.. threads.Values.Select(thread => thread.Latest)], reader, ct);
        var ofLatest = latest.Count > 0 ? await aggregations.Get(latest.Values, ct) : [];
        var edits = await Load(batch, [.. own.Values.Concat(ofLatest.Values).Select(a => a.Edit).Where(edit => edit != 0)], reader, ct);
        foreach (var e in latest.Values)
            Add(batch, e, ofLatest, edits, null, reader);
        foreach (var e in parents)
            Add(batch, e, own, edits, threads.TryGetValue(e.Nid, out var thread) && latest.TryGetValue(thread.Latest, out var newest)
                ? new ThreadBundle(thread.Count, newest, e.Sender == userId || thread.Participants.Contains(userId)) : null, reader);
    }

    static void Add(
        EventBatch batch, EncodedEvent e, Dictionary<long, Aggregation> aggregations, Dictionary<long, EncodedEvent> edits, ThreadBundle? thread, Reader reader)
    {
        if (!aggregations.TryGetValue(e.Nid, out var aggregation))
            return;
        // a redacted event is not shown edited, and state cannot be edited
        var edit = e is { RedactedBy: null, IsState: false } && aggregation.Edit != 0 ? edits.GetValueOrDefault(aggregation.Edit) : null;
        var sight = reader.Sight(e.RoomNid);
        var bundle = new Bundle(edit, thread, [.. aggregation.References
            .Where(reference => !reader.Ignored.Contains(reference.Sender) && sight?.Includes(reference.Position) != false)
            .Select(reference => reference.EventId)]);
        if (!bundle.IsEmpty)
            batch.Add(e.Nid, bundle);
    }

    // What everybody sees of a thread is remembered; who ignores one of its senders, or may not see its newest event, has it counted.
    async ValueTask<Dictionary<long, ThreadSummary>> ReadThreads(
        List<EncodedEvent> parents, Dictionary<long, Aggregation> aggregations, Reader reader, CancellationToken ct)
    {
        var threads = new Dictionary<long, ThreadSummary>();
        foreach (var e in parents)
        {
            if (!aggregations.TryGetValue(e.Nid, out var aggregation) || aggregation.Thread is not { } thread)
                continue;
            var sight = reader.Sight(e.RoomNid);
            if (sight?.Includes(thread.LatestPosition) != false && !thread.Participants.Overlaps(reader.Ignored))
                threads[e.Nid] = thread;
            else if (await store.FindThread(new RelationTarget(e.RoomNid, e.EventId, e.Type, e.Sender), [.. reader.Ignored],
                [.. Stretches(sight).Select(s => s.From)], [.. Stretches(sight).Select(s => s.To)], ct) is { } seen)
                threads[e.Nid] = thread with { Count = seen.Count, Latest = seen.Latest, LatestPosition = seen.LatestPosition };
        }
        return threads;
    }

    static IEnumerable<SightStretch> Stretches(Sight? sight) => sight?.Stretches ?? [new SightStretch(long.MinValue, long.MaxValue)];

    async ValueTask<Dictionary<long, EncodedEvent>> Load(EventBatch batch, IReadOnlyCollection<long> nids, Reader reader, CancellationToken ct)
    {
        if (nids.Count == 0)
            return [];
        await events.LoadToShow(batch, nids, ct);
        var visible = new Dictionary<long, EncodedEvent>();
        foreach (var room in batch.List(nids.Distinct()).GroupBy(e => e.RoomNid))
        {
            foreach (var e in await visibility.Filter([.. room], reader.UserId, reader.Sight(room.Key), ct))
                visible[e.Nid] = e;
        }
        return visible;
    }

    sealed record Reader(string UserId, FrozenSet<string> Ignored, Func<long, Sight?> Sight);
}
