using System.Collections.Frozen;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Relations;

/// <summary>
/// What relates to events, until the log tells of an event that changes it: an entry of an event names the one whose aggregations it changes. What is
/// read while such an entry comes in for the same part of the cache is not kept.
/// </summary>
sealed class AggregationCache(RelationStore store, Caches caches)
{
    readonly BoundedCache<(long Room, string EventId), Aggregation> cache = caches.Create<(long Room, string EventId), Aggregation>(
        "aggregations", 16 << 20, (key, aggregation) => Caches.WeightOf(key.EventId) + aggregation.Weight);
    readonly int[] generations = new int[256];

    public void Changed(LogEntry entry)
    {
        if (entry is not { Kind: LogKind.Event, RoomNid: { } room, Related: { } target })
            return;
        Interlocked.Increment(ref generations[Part(target)]);
        cache.Remove((room, target));
    }

    /// <summary>By event number; in one query for all that are not remembered.</summary>
    public async ValueTask<Dictionary<long, Aggregation>> Get(IEnumerable<EncodedEvent> events, CancellationToken ct)
    {
        var found = new Dictionary<long, Aggregation>();
        List<EncodedEvent>? unknown = null;
        foreach (var e in events)
        {
            if (!cache.TryGet((e.RoomNid, e.EventId), out var known))
                (unknown ??= []).Add(e);
            else if (known != Aggregation.None)
                found[e.Nid] = known;
        }
        if (unknown is not null)
            await Read(unknown, found, ct);
        return found;
    }

    async Task Read(List<EncodedEvent> unknown, Dictionary<long, Aggregation> found, CancellationToken ct)
    {
        var before = unknown.ConvertAll(e => Volatile.Read(ref generations[Part(e.EventId)]));
        var rows = await store.ListAggregations([.. unknown.Select(e => new RelationTarget(e.RoomNid, e.EventId, e.Type, e.Sender))], ct);
        var byId = rows.ToDictionary(row => (row.Target.RoomNid, row.Target.EventId));
        for (var i = 0; i < unknown.Count; i++)
        {
            var e = unknown[i];
            var aggregation = byId.TryGetValue((e.RoomNid, e.EventId), out var row) ? ToAggregation(row) : Aggregation.None;
            if (aggregation != Aggregation.None)
                found[e.Nid] = aggregation;
            cache.Set((e.RoomNid, e.EventId), aggregation, ref generations[Part(e.EventId)], before[i]);
        }
    }

    static Aggregation ToAggregation(AggregationRow row) => row is { Edit: 0, Thread: null, References.Count: 0 }
        ? Aggregation.None
        : new Aggregation(row.Edit, row.Thread is { } thread
            ? new ThreadSummary(thread.Count, thread.Latest, thread.LatestPosition, thread.Participants.ToFrozenSet(StringComparer.Ordinal))
            : null, row.References);

    int Part(string eventId) => (int)((uint)string.GetHashCode(eventId, StringComparison.Ordinal) % generations.Length);
}
