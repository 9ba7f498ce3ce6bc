namespace Matrix.ClientApi.Tests.Sync.Sliding;

/// <summary>Sliding sync as Element X drives it: one connection for rooms, which grows its list and subscribes to the open room, and one for encryption.</summary>
public sealed class TwoConnectionsTests(MatrixServer server)
{
    static readonly string[][] ListState =
    [
        ["m.room.name", ""], ["m.room.encryption", ""], ["m.room.member", "$LAZY"], ["m.room.member", "$ME"], ["m.room.topic", ""], ["m.room.avatar", ""],
        ["m.room.canonical_alias", ""], ["m.room.power_levels", ""], ["org.matrix.msc3401.call.member", "*"], ["m.room.join_rules", ""], ["m.room.tombstone", ""],
        ["m.room.create", ""], ["m.room.history_visibility", ""], ["io.element.functional_members", ""], ["m.space.parent", "*"], ["m.space.child", "*"],
        ["org.matrix.msc3672.beacon_info", "*"],
    ];

    [Fact]
    public async Task Rooms_and_encryption_come_on_connections_of_their_own()
    {
        var (alice, bob) = (await server.NewUser(), await server.NewUser());
        var rooms = new List<string>();
        for (var i = 0; i < 4; i++)
            rooms.Add(await alice.CreateRoom(new { preset = "private_chat", name = $"room {i}", invite = new[] { bob.UserId } }));
        foreach (var room in rooms[..3])
            await bob.Join(room);
        await alice.Say(rooms[1], "newest");

        // the list begins small and grows
        var small = await bob.SlideUntil(RoomList(0), s => s.Rooms.Contains(rooms[1]));
        Assert.Equal(4, small.Count("all_rooms"));
        var first = small[rooms[1]];
        Assert.Equal("newest", first.At("timeline").Items().Bodies().Single());
        Assert.True(first.At("bump_stamp").GetInt64() > 0);
        Assert.Equal((2, 0), (first.At("joined_count").GetInt32(), first.At("invited_count").GetInt32()));
        Assert.Equal("room 1", first.String("name"));
        var all = await bob.SlideUntil(RoomList(99), s => s.Rooms.Contains(rooms[3]), small.Pos);
        Assert.Equal(rooms.Order(), all.Rooms.Concat(small.Rooms).Distinct().Order());
        Assert.NotNull(all[rooms[3]].Find("invite_state"));

        // the open room: more of its timeline
        var opened = await bob.Slide(RoomList(99, open: rooms[1]), all.Pos);
        Assert.True(opened.Timeline(rooms[1]).Count > 1);

        // encryption goes on beside it, each from its own place
        var encryption = await bob.Slide(Encryption(), null);
        Assert.NotNull(encryption.Extension("e2ee.device_one_time_keys_count"));
        (await alice.Put("/_matrix/client/v3/sendToDevice/m.room_key/k1", new { messages = new Dictionary<string, object> { [bob.UserId] = new Dictionary<string, object> { ["*"] = new { key = 1 } } } })).Ok();
        await alice.Say(rooms[1], "with a key");
        var token = encryption.Extension("to_device.next_batch")?.GetString();
        var keys = await bob.SlideUntil(Encryption(token), s => s.Extension("to_device.events") is { } events && events.GetArrayLength() > 0, encryption.Pos);
        Assert.Empty(keys.Rooms);
        Assert.Equal(1, keys.Extension("to_device.events")!.Value[0].At("content.key").GetInt32());
        var said = await bob.SlideUntil(RoomList(99, open: rooms[1]), s => s.HasMessage(rooms[1], "with a key"), opened.Pos);
        Assert.Null(said.Extension("to_device"));
        Assert.Equal(1, said[rooms[1]].At("num_live").GetInt32());
        var after = await bob.Slide(Encryption(keys.Extension("to_device.next_batch")!.Value.GetString()), keys.Pos);
        Assert.True(after.Extension("to_device.events") is not { } rest || rest.GetArrayLength() == 0);
    }

    static object RoomList(int to, string? open = null) => new
    {
        conn_id = "room-list",
        lists = new { all_rooms = new { ranges = new[] { new[] { 0, to } }, timeline_limit = 1, required_state = ListState } },
        room_subscriptions = open is null ? [] : new Dictionary<string, object>
        {
            [open] = new { timeline_limit = 20, required_state = ListState.Append(["m.room.pinned_events", ""]) },
        },
        extensions = new { account_data = new { enabled = true }, receipts = new { enabled = true, rooms = new[] { "*" } }, typing = new { enabled = true } },
    };

    static object Encryption(string? since = null) => new
    {
        conn_id = "encryption",
        extensions = new { to_device = new { enabled = true, since }, e2ee = new { enabled = true } },
    };
}
