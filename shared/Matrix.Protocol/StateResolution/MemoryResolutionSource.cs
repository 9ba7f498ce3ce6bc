namespace Matrix.Protocol;

/// <summary>All the events that a resolution can need, in memory. Walks chains without recursion.</summary>
public sealed class MemoryResolutionSource : IStateResolutionSource
{
    readonly Dictionary<EventId, ResolutionEvent> _events = [];
    readonly IReadOnlyDictionary<StateKeyPair, EventId> _unconflicted;

    /// <param name="events">The states' events and their whole auth chains.</param>
    /// <param name="unconflicted">What all states agree on.</param>
    public MemoryResolutionSource(IEnumerable<ResolutionEvent> events, IReadOnlyDictionary<StateKeyPair, EventId> unconflicted)
    {
        foreach (var item in events)
            _events[item.Pdu.EventId] = item;
        _unconflicted = unconflicted;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyCollection<ResolutionEvent>> LoadEvents(IReadOnlyCollection<EventId> ids, CancellationToken ct) =>
        new([.. ids.Where(_events.ContainsKey).Select(id => _events[id])]);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<StateKeyPair, EventId>> FindUnconflicted(
        IReadOnlyCollection<StateKeyPair> keys, CancellationToken ct)
    {
        var found = new Dictionary<StateKeyPair, EventId>();
        foreach (var key in keys)
            if (_unconflicted.TryGetValue(key, out var id))
                found[key] = id;
        return new(found);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyCollection<EventId>> FindAuthDifference(
        IReadOnlyList<IReadOnlyCollection<EventId>> differing, CancellationToken ct)
    {
        var common = Chain(_unconflicted.Values);
        var reached = new Dictionary<EventId, int>();
        foreach (var events in differing)
            foreach (var id in Chain(events))
                if (!common.Contains(id))
                    reached[id] = reached.GetValueOrDefault(id) + 1;
        return new([.. reached.Where(entry => entry.Value < differing.Count).Select(entry => entry.Key)]);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyCollection<EventId>> FindSubgraph(IReadOnlyCollection<EventId> conflicted, CancellationToken ct)
    {
        var above = Chain(conflicted);
        above.UnionWith(conflicted);
        var children = above.SelectMany(AuthEvents, (id, parent) => (parent, id)).ToLookup(edge => edge.parent, edge => edge.id);
        var found = new HashSet<EventId>(conflicted);
        var open = new Stack<EventId>(conflicted);
        while (open.TryPop(out var id))
            foreach (var child in children[id])
                if (found.Add(child))
                    open.Push(child);
        return new(found);
    }

    HashSet<EventId> Chain(IEnumerable<EventId> events)
    {
        var chain = new HashSet<EventId>();
        var open = new Stack<EventId>(events);
        while (open.TryPop(out var id))
            foreach (var parent in AuthEvents(id))
                if (chain.Add(parent))
                    open.Push(parent);
        return chain;
    }

    IReadOnlyList<EventId> AuthEvents(EventId id) => _events.TryGetValue(id, out var item) ? item.Pdu.AuthEvents : [];
}
