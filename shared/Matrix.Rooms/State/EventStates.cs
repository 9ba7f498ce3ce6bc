using Matrix.Protocol;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>
/// The states after events: the one before, with a state event that was not rejected put in. They follow from what never changes, so nothing is ever
/// invalidated; and their nodes are stored with the events.
/// </summary>
public sealed class EventStates(EventStore events, StateTree tree, Caches caches)
{
    readonly BoundedCache<long, StateNodeId> after = caches.Create<long, StateNodeId>("event_states", 1 << 20, (_, _) => 24);

    public void Add(long eventNid, StateNodeId stateAfter) => after.Set(eventNid, stateAfter);

    /// <summary>The state after the event, if it is remembered.</summary>
    public StateNodeId? Find(long eventNid) => after.TryGet(eventNid, out var root) ? root : null;

    /// <summary>The states after these events, which must exist and not be outliers.</summary>
    public async ValueTask<IReadOnlyDictionary<long, StateNodeId>> After(IReadOnlyCollection<long> eventNids, CancellationToken ct)
    {
        var found = new Dictionary<long, StateNodeId>(eventNids.Count);
        List<long>? missing = null;
        foreach (var nid in eventNids)
        {
            if (after.TryGet(nid, out var root))
                found[nid] = root;
            else
                (missing ??= []).Add(nid);
        }
        if (missing is null)
            return found;
        foreach (var (nid, stored) in await events.Get(missing, ct))
            found[nid] = await After(stored, ct);
        return found.Count == eventNids.Distinct().Count() ? found : throw new InvalidDataException($"Of the events {string.Join(", ", missing)} some do not exist.");
    }

    public async ValueTask<StateNodeId> After(StoredEvent stored, CancellationToken ct)
    {
        var before = stored.StateBefore ?? throw new InvalidDataException($"{stored.EventId} is an outlier.");
        var root = stored.StateKey is null || stored.Rejected is not null
            ? before
            : (await tree.Set(before, [new StateAssignment(new StateKeyPair(stored.Type, stored.StateKey), stored.EventNid)], ct)).Root;
        // it is another one when the room's members are known
        if (!stored.IsTentative)
            Add(stored.EventNid, root);
        return root;
    }
}
