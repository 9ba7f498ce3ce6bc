using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Pieces of rooms' states that are looked up together, with what is to be done with each.</summary>
sealed class StateWishes
{
    readonly List<(StateNodeId Root, StateKeyPair Key)> places = [];
    readonly List<Action<long>> takers = [];

    public IReadOnlyList<(StateNodeId Root, StateKeyPair Key)> Places => places;

    /// <param name="take">Called with the event that stands there, if one does.</param>
    public void Add(StateNodeId root, StateKeyPair key, Action<long> take)
    {
        places.Add((root, key));
        takers.Add(take);
    }

    public void Grant(IReadOnlyList<long?> found)
    {
        for (var i = 0; i < found.Count; i++)
        {
            if (found[i] is { } nid)
                takers[i](nid);
        }
    }
}
