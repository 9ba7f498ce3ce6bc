namespace Matrix.ClientApi.Sync;

/// <summary>Events that were asked for together, and those that they show in their unsigned part.</summary>
sealed class EventBatch
{
    readonly Dictionary<long, EncodedEvent> events = [];

    public void Add(EncodedEvent e) => events[e.Nid] = e;

    public EncodedEvent? Find(long nid) => events.GetValueOrDefault(nid);

    /// <summary>Those of the events that exist, in the order asked for.</summary>
    public IReadOnlyList<EncodedEvent> List(IEnumerable<long> nids)
    {
        var list = new List<EncodedEvent>();
        foreach (var nid in nids)
        {
            if (events.TryGetValue(nid, out var e))
                list.Add(e);
        }
        return list;
    }

    public IEnumerable<EncodedEvent> All => events.Values;
}
