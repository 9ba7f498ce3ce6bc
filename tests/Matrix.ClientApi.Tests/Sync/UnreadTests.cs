using System.Text.Json;

namespace Matrix.ClientApi.Tests.Sync;

public sealed class UnreadTests(MatrixServer server)
{
    static readonly object ByThread = new { room = new { timeline = new { unread_thread_notifications = true } } };

    [Fact]
    public async Task Messages_count_until_they_are_read_and_own_ones_do_not()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        Assert.Equal((0, 0), Unread(await bob.Sync(), room));
        await alice.Say(room, "1");
        var second = await alice.Say(room, "2");
        await alice.Send(room, "m.room.message", new { msgtype = "m.notice", body = "a bot's" });
        var third = await alice.Send(room, "m.room.message", Mentioning("3", bob));
        var sync = await bob.SyncUntil(s => s.HasMessage(room, "3"));
        Assert.Equal((3, 1), Unread(sync, room));
        Assert.Equal((0, 0), Unread(await alice.SyncUntil(s => s.HasMessage(room, "3")), room));

        await Read(bob, room, second, "m.read");
        Assert.Equal((1, 1), Unread(await bob.SyncUntil(s => Unread(s, room) is (1, 1), sync.NextBatch), room));
        await bob.Say(room, "I have seen all this");
        Assert.Equal((0, 0), Unread(await bob.SyncUntil(s => s.HasMessage(room, "I have seen all this"), sync.NextBatch), room));
        await Read(bob, room, third, "m.read");
        Assert.Equal((0, 0), Unread(await bob.Sync(), room));
    }

    [Fact]
    public async Task A_private_receipt_tells_the_users_other_devices_of_the_new_counts()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var phone = await bob.NewDevice();
        var sent = await alice.Say(room, "x");
        var sync = await phone.SyncUntil(s => s.HasMessage(room, "x"));
        Assert.Equal((1, 0), Unread(sync, room));
        // a client that takes no receipts is told of the counts all the same
        var filter = new { room = new { ephemeral = new { types = Array.Empty<string>() } } };
        var waiting = phone.SyncUntil(s => s.Joined(room) is not null, sync.NextBatch, filter);
        await Read(bob, room, sent, "m.read.private");
        Assert.Equal((0, 0), Unread(await waiting, room));
    }

    [Fact]
    public async Task Threads_count_apart_for_clients_that_ask_for_it()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var root = await alice.Say(room, "root");
        var inThread = await alice.Send(room, "m.room.message", InThread("in the thread", root));
        await alice.Say(room, "main");
        var all = await bob.SyncUntil(s => s.HasMessage(room, "main"));
        Assert.Equal((3, 0), Unread(all, room));
        Assert.Null(all.Joined(room)!.Value.Find("unread_thread_notifications"));

        var parted = await bob.Sync(filter: ByThread);
        Assert.Equal((2, 0), Unread(parted, room));
        Assert.Equal((1, 0), Count(Threads(parted, room).GetProperty(root.EventId)));

        await Read(bob, room, inThread, "m.read", root.EventId);
        parted = await bob.SyncUntil(s => s.Joined(room) is not null, parted.NextBatch, ByThread);
        Assert.Equal((2, 0), Unread(parted, room));
        Assert.Null(parted.Joined(room)!.Value.Find("unread_thread_notifications"));

        await Read(bob, room, inThread, "m.read", "main", expectRefusal: true);
        await Read(bob, room, root, "m.read", "main");
        Assert.Equal((1, 0), Unread(await bob.Sync(filter: ByThread), room));
    }

    [Fact]
    public async Task A_muted_room_counts_mentions_only_and_a_change_of_rules_leaves_what_counted_before()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await alice.Say(room, "before");
        (await bob.Put($"/_matrix/client/v3/pushrules/global/room/{ApiClient.Esc(room)}", new { actions = Array.Empty<string>() })).Ok();
        await alice.Say(room, "after");
        await alice.Send(room, "m.room.message", Mentioning("you", bob));
        Assert.Equal((2, 1), Unread(await bob.SyncUntil(s => s.HasMessage(room, "you")), room));
    }

    [Fact]
    public async Task Who_comes_back_to_a_room_begins_with_nothing_unread()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        await alice.Say(room, "before");
        await bob.Join(room);
        Assert.Equal((0, 0), Unread(await bob.Sync(), room));
        await alice.Say(room, "x");
        await bob.Leave(room);
        await bob.Join(room);
        var sync = await bob.SyncUntil(s => s.Joined(room) is not null);
        Assert.Equal((0, 0), Unread(sync, room));
        await alice.Say(room, "y");
        Assert.Equal((1, 0), Unread(await bob.SyncUntil(s => s.HasMessage(room, "y"), sync.NextBatch), room));
    }

    static Dictionary<string, object> Mentioning(string body, User user) =>
        new Dictionary<string, object> { ["msgtype"] = "m.text", ["body"] = body, ["m.mentions"] = new { user_ids = new[] { user.UserId } } };

    static Dictionary<string, object> InThread(string body, Sent root) => new Dictionary<string, object>
    {
        ["msgtype"] = "m.text",
        ["body"] = body,
        ["m.relates_to"] = new { rel_type = "m.thread", event_id = root.EventId },
    };

    static async Task Read(User user, string room, Sent sent, string type, string? thread = null, bool expectRefusal = false)
    {
        var path = $"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/{type}/{ApiClient.Esc(sent.EventId)}";
        var reply = await user.Post(path, thread is null ? new { } : new { thread_id = thread });
        if (expectRefusal)
            reply.Refused(400, "M_INVALID_PARAM");
        else
            reply.Ok();
    }

    static (int Notifications, int Highlights) Unread(SyncReply sync, string room) =>
        sync.Joined(room)?.Find("unread_notifications") is { } counts ? Count(counts) : (-1, -1);

    static JsonElement Threads(SyncReply sync, string room) => sync.Joined(room)!.Value.At("unread_thread_notifications");

    static (int Notifications, int Highlights) Count(JsonElement counts) =>
        (counts.GetProperty("notification_count").GetInt32(), counts.GetProperty("highlight_count").GetInt32());
}
