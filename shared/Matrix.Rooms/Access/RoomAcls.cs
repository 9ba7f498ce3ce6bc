using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Access;

/// <summary>
/// Which servers may take part in a room (m.room.server_acl). The list is that of the room's head as this process knows it: a list that another process has
/// just changed counts a moment later. A refusal is always by the head as it is.
/// </summary>
public sealed class RoomAcls(RoomHeads heads, RoomStore rooms, StateTree tree, StateEvents stateEvents, Caches caches)
{
    static readonly StateKeyPair Key = new("m.room.server_acl", "");

    // an event never changes
    readonly BoundedCache<long, ServerAcl> lists = caches.Create<long, ServerAcl>("server_acls", 4 << 20, (_, _) => 4096);

    public async ValueTask<bool> Allows(Room room, ServerName server, CancellationToken ct)
    {
        var known = await heads.Load([room.RoomNid], ct);
        if (known.FirstOrDefault() is { } head && await Allows(head.StateRoot, server, ct))
            return true;
        return await rooms.FindStateRoot(room.RoomNid, ct) is not { } root || await Allows(root, server, ct);
    }

    async ValueTask<bool> Allows(StateNodeId root, ServerName server, CancellationToken ct)
    {
        if (await tree.Find(root, Key, ct) is not { } nid)
            return true;
        if (!lists.TryGet(nid, out var list))
        {
            list = ServerAcl.Read((await stateEvents.Get([nid], ct))[nid]);
            lists.Set(nid, list);
        }
        return list.Allows(server);
    }
}
