using Matrix.Protocol;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>The events that stand in rooms' states, as they were signed, by number. Events never change, so nothing is ever invalidated.</summary>
public sealed class StateEvents(EventStore store, StateTree tree, Caches caches)
{
    readonly BoundedCache<long, Pdu> cache = caches.Create<long, Pdu>("state_events", 32 << 20, (_, pdu) => 600 + 2 * pdu.Json.Length);

    public void Add(long eventNid, Pdu pdu) => cache.Set(eventNid, pdu);

    /// <summary>The events that stand at the keys, in the same order; null where there is nothing.</summary>
    public async ValueTask<Pdu?[]> Find(StateNodeId root, IReadOnlyList<StateKeyPair> keys, CancellationToken ct)
    {
        var found = await FindNumbered(root, keys, ct);
        return Array.ConvertAll(found, e => e?.Pdu);
    }

    /// <inheritdoc cref="Find(StateNodeId, IReadOnlyList{StateKeyPair}, CancellationToken)"/>
    internal async ValueTask<NumberedPdu?[]> FindNumbered(StateNodeId root, IReadOnlyList<StateKeyPair> keys, CancellationToken ct)
    {
        var nids = await tree.Find(root, keys, ct);
        var pdus = await Get(nids.OfType<long>().ToHashSet(), ct);
        return Array.ConvertAll(nids, nid => nid is { } n ? new NumberedPdu(n, pdus[n]) : (NumberedPdu?)null);
    }

    public async ValueTask<Pdu?> Find(StateNodeId root, string type, string stateKey, CancellationToken ct) =>
        (await Find(root, [new StateKeyPair(type, stateKey)], ct))[0];

    /// <summary>These events, which must exist, by number; in one round trip for all that are not cached.</summary>
    public async ValueTask<IReadOnlyDictionary<long, Pdu>> Get(IReadOnlyCollection<long> eventNids, CancellationToken ct)
    {
        var pdus = new Dictionary<long, Pdu>(eventNids.Count);
        List<long>? missing = null;
        foreach (var nid in eventNids)
        {
            if (cache.TryGet(nid, out var pdu))
                pdus[nid] = pdu;
            else
                (missing ??= []).Add(nid);
        }
        if (missing is null)
            return pdus;
        foreach (var (nid, stored) in await store.Get(missing, ct))
        {
            pdus[nid] = Pdu.FromStored(stored.EventId, stored.Json, stored.Rules);
            Add(nid, pdus[nid]);
        }
        return pdus;
    }
}

/// <summary>An event with its number.</summary>
readonly record struct NumberedPdu(long EventNid, Pdu Pdu);
