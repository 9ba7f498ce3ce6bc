using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Tests.Forks;

/// <summary>What the tables must say of a room, however it came about.</summary>
static class RoomInvariants
{
    public static async Task Check(RoomNode node, Room room)
    {
        var root = await node.State.CurrentRoot(room.RoomNid, default);
        await CheckMemberships(node, room, root);
        await CheckTimeline(node, room, root);
    }

    /// <summary>Memberships and counts are functions of the state.</summary>
    static async Task CheckMemberships(RoomNode node, Room room, StateNodeId root)
    {
        var state = await node.State.ReadAll(root, default);
        var members = state.Where(e => e.Key.Type == EventTypes.Member).ToList();
        var joined = 0;
        foreach (var (key, nid) in members)
        {
            var pdu = (await node.State.Get(root, key.Type, key.StateKey, default))!;
            var row = await node.Get<MembershipStore>().Find(room.RoomNid, UserId.Parse(key.StateKey), default);
            Assert.Equal((pdu.Membership, nid), (row?.Membership, row?.EventNid));
            joined += pdu.Membership == "join" ? 1 : 0;
        }
        var summary = await node.Summary(room.RoomId);
        Assert.Equal(joined, summary.JoinedCount);
        var topic = await node.State.Get(root, EventTypes.JoinRules, "", default);
        Assert.Equal(topic?.ContentString("join_rule"u8), summary.JoinRule);
        var others = await node.Get<MembershipStore>().ListInRoom(room.RoomNid, ["join", "invite", "ban", "knock"], default);
        Assert.All(others, row => Assert.Contains(members, m => m.Key.StateKey == row.UserId));
        await CheckServers(node, room, [.. others.Where(row => row.Membership == "join").Select(row => UserId.Parse(row.UserId).Server)]);
    }

    /// <summary>So are the other servers in the room, by the changes and counted anew.</summary>
    static async Task CheckServers(RoomNode node, Room room, HashSet<ServerName> joined)
    {
        var own = node.Get<ServerSigningKey>().ServerName;
        joined.Remove(own);
        var servers = await Counts();
        Assert.Equal(joined.Order(), servers.Select(server => ServerName.Parse(server[..server.IndexOf(' ')])).Order());
        await node.Db.Execute("SELECT recount_room_servers(@nid, @own, 0)", new { nid = room.RoomNid, own });
        Assert.Equal(servers, await Counts());
        Assert.Equal(0, await node.Db.GetOne<long>("SELECT count(*) FROM room_servers WHERE (joined > 0) = (left_at IS NOT NULL)"));

        Task<IReadOnlyList<string>> Counts() => node.Db.List<string>(
            "SELECT server || ' ' || joined FROM room_servers WHERE room_nid = @nid AND joined > 0 ORDER BY 1", new { nid = room.RoomNid });
    }

    /// <summary>Between events that are no merges, the state changes by the events alone.</summary>
    static async Task CheckTimeline(RoomNode node, Room room, StateNodeId root)
    {
        var merged = new HashSet<long>();
        await using (var reader = await node.Db.CreateCommand("SELECT event_nid FROM events WHERE merged").ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                merged.Add(reader.GetInt64(0));
        }
        var before = StateTree.Empty;
        foreach (var e in await node.Timeline(room.RoomId))
        {
            if (!merged.Contains(e.EventNid))
            {
                var expected = e.StateKey is null ? before
                    : (await node.Get<StateTree>().Set(before, [new StateAssignment(new StateKeyPair(e.Type, e.StateKey), e.EventNid)], default)).Root;
                Assert.Equal(expected, e.RoomState);
            }
            before = e.RoomState!.Value;
        }
        Assert.Equal(root, before);
    }
}
