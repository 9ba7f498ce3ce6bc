using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Resolution;

/// <summary>Auth chains of events, read from the index: what a state reaches is one number for each chain, however long the chains are.</summary>
public sealed class AuthChains(AuthIndex index, AuthIndexStore store, AuthBacklog backlog, EventStore events)
{
    /// <summary>What these state events cite, what that cites, and so on: the numbers, without the events themselves unless others of them reach these.</summary>
    public async Task<IReadOnlyList<long>> List(Room room, IReadOnlyCollection<long> stateEvents, CancellationToken ct)
    {
        var nodes = await index.Find(stateEvents, ct);
        if (nodes.Count < stateEvents.Count)
        {
            await backlog.Settle(room.RoomNid, ct);
            nodes = await index.Find(stateEvents, ct);
        }
        var (reach, bases) = (new Dictionary<long, int>(), new HashSet<AuthNode>());
        foreach (var node in nodes.Values)
            node.AddTo(reach, bases);
        return reach.Count == 0 ? [] : await store.ListRanges([.. reach.Select(r => (r.Key, 0, r.Value))], ct);
    }

    /// <summary>The auth chain of any event.</summary>
    public async Task<IReadOnlyCollection<long>> List(Room room, Pdu pdu, CancellationToken ct)
    {
        var cited = (await events.FindInRoom(room.RoomNid, pdu.AuthEvents, ct)).Select(e => e.EventNid).ToHashSet();
        return [.. cited.Union(await List(room, cited, ct))];
    }
}
