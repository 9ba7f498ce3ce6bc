using Matrix.ClientApi.Sync.Relations;

namespace Matrix.ClientApi.Sync;

/// <summary>Events that were asked for together, and those that they show in their unsigned part.</summary>
sealed class EventBatch
{
    readonly Dictionary<long, EncodedEvent> events = [];
    Dictionary<long, Bundle>? bundles;

    public void Add(EncodedEvent e) => events[e.Nid] = e;

    public void Remove(long nid) => events.Remove(nid);

    /// <summary>What relates to an event, as the reader of the answer is shown it.</summary>
    public void Add(long nid, Bundle bundle) => (bundles ??= [])[nid] = bundle;

    public Bundle? FindBundle(long nid) => bundles?.GetValueOrDefault(nid);

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
