using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Filters;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>State that accompanies a page of events.</summary>
sealed class StateOfPage(StateTree states, EventCache events)
{
    /// <summary>The membership events of those who sent these events, as of a state.</summary>
    public async Task<IReadOnlyList<EncodedEvent>> ListSenders(
        StateNodeId root, IEnumerable<EncodedEvent> shown, EventBatch batch, CancellationToken ct)
    {
        var found = await states.Find(root, [.. shown.Select(e => e.Sender).Distinct().Select(user => new StateKeyPair(EventTypes.Member, user))], ct);
        return await Load([.. found.OfType<long>()], batch, ct);
    }

    /// <summary>The state that passes a filter, members only of the senders where they are loaded lazily.</summary>
    public async Task<IReadOnlyList<EncodedEvent>> List(
        StateNodeId root, RoomEventFilter filter, IEnumerable<EncodedEvent> shown, EventBatch batch, CancellationToken ct)
    {
        var senders = filter.LazyLoadMembers ? shown.Select(e => e.Sender).ToHashSet(StringComparer.Ordinal) : null;
        var all = await states.ReadAll(root, ct);
        var nids = all
            .Where(entry => filter.AllowsType(entry.Key.Type) && (entry.Key.Type != EventTypes.Member || senders?.Contains(entry.Key.StateKey) != false))
            .Select(entry => entry.EventNid);
        return [.. (await Load([.. nids], batch, ct)).Where(filter.Passes)];
    }

    /// <summary>All membership events of a state.</summary>
    public async Task<IReadOnlyList<EncodedEvent>> ListMembers(StateNodeId root, EventBatch batch, CancellationToken ct)
    {
        var all = await states.ReadAll(root, ct);
        return await Load([.. all.Where(entry => entry.Key.Type == EventTypes.Member).Select(entry => entry.EventNid)], batch, ct);
    }

    async Task<IReadOnlyList<EncodedEvent>> Load(IReadOnlyCollection<long> nids, EventBatch batch, CancellationToken ct)
    {
        await events.Load(batch, nids, ct);
        return batch.List(nids);
    }
}
