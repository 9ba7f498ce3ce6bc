using Matrix.Protocol;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Rooms.Unread;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Writing;

/// <summary>
/// Reads what an event of a user in each of many rooms will look at, of all rooms together, into the caches. It decides nothing: what is missing or
/// stale afterwards is read by whoever writes.
/// </summary>
public sealed class RoomPreload(RoomHeads heads, StateTree tree, StateEvents stateEvents, AuthIndex authIndex, RoomAudiences audiences)
{
    public async Task ForEventOf(UserId user, IReadOnlyCollection<Room> rooms, CancellationToken ct)
    {
        StateKeyPair[] keys =
        [
            new(EventTypes.Create, ""), new(EventTypes.PowerLevels, ""), new(EventTypes.JoinRules, ""), new(EventTypes.Member, user.ToString()),
        ];
        var known = await heads.Load([.. rooms.Select(room => room.RoomNid)], ct);
        var nids = await tree.Find([.. known.SelectMany(head => keys.Select(key => (head.StateRoot, key)))], ct);
        long[] events = [.. nids.OfType<long>().Distinct()];
        await stateEvents.Get(events, ct);
        await authIndex.Find(events, ct);
        await audiences.Load(rooms, ct);
    }
}
