namespace Matrix.ClientApi.Tests.Push;

/// <summary>What a user was notified of: GET /notifications.</summary>
public sealed class NotificationTests(MatrixServer server)
{
    const string Path = "/_matrix/client/v3/notifications";

    [Fact]
    public async Task What_notified_a_user_is_listed_newest_first_with_actions()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await alice.Say(room, "one");
        await alice.Send(room, "m.room.message", new { msgtype = "m.notice", body = "by the default rules no" });
        await bob.Say(room, "mine");
        await alice.Say(room, "two");

        var all = (await bob.Get(Path)).Ok();
        var notifications = all["notifications"].Items();
        Assert.Equal(["two", "one"], notifications.Select(n => n.String("event.content.body")));
        Assert.Null(all.Json.Find("next_token"));
        Assert.All(notifications, n => Assert.Equal((room, alice.UserId), (n.String("room_id"), n.String("event.sender"))));
        Assert.Equal("notify", notifications[0].At("actions")[0].GetString());
        Assert.Equal("sound", notifications[0].At("actions")[1].String("set_tweak"));
        Assert.Equal([false, true], notifications.Select(n => n.At("read").GetBoolean())); // who says something has read what is above
        Assert.Equal(notifications[0].At("event.origin_server_ts").GetInt64(), notifications[0].At("ts").GetInt64());
        Assert.Null(notifications[0].Find("event.room_id"));
        Assert.Equal(["mine"], (await alice.Get(Path)).Ok()["notifications"].Items().Select(n => n.String("event.content.body")));
    }

    [Fact]
    public async Task Pages_follow_each_other_and_highlights_can_be_had_alone()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        for (var i = 0; i < 5; i++)
            await alice.Say(room, $"{i}");
        await alice.Send(room, "m.room.message",
            new Dictionary<string, object> { ["msgtype"] = "m.text", ["body"] = "Bob!", ["m.mentions"] = new { user_ids = new[] { bob.UserId } } });

        var seen = new List<string>();
        string? from = null;
        var pages = 0;
        do
        {
            var page = (await bob.Get($"{Path}?limit=2{(from is null ? "" : $"&from={ApiClient.Esc(from)}")}")).Ok();
            seen.AddRange(page["notifications"].Items().Select(n => n.String("event.content.body")));
            from = page.Json.Find("next_token")?.GetString();
            Assert.True(++pages < 10);
        }
        while (from is not null);
        Assert.Equal(["Bob!", "4", "3", "2", "1", "0"], seen);
        Assert.Equal(["Bob!"], (await bob.Get($"{Path}?only=highlight")).Ok()["notifications"].Items().Select(n => n.String("event.content.body")));
        (await bob.Get($"{Path}?from=nonsense")).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task Nothing_is_listed_from_before_the_user_came_nor_of_rooms_that_the_user_has_left()
    {
        var (alice, room) = await server.UserInRoom();
        var bob = await server.NewUser();
        await alice.Say(room, "before");
        await alice.Invite(room, bob);
        await bob.Join(room);
        var sent = await alice.Say(room, "seen");
        await alice.Redact(room, (await alice.Say(room, "redacted")).EventId);

        var notifications = (await bob.Get(Path)).Ok()["notifications"].Items();
        Assert.Equal([sent.EventId], notifications.Select(n => n.String("event.event_id")));
        await bob.Leave(room);
        Assert.Empty((await bob.Get(Path)).Ok()["notifications"].Items());
    }

    [Fact]
    public async Task What_is_said_in_a_thread_is_read_with_the_thread()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var root = await alice.Say(room, "root");
        var reply = await alice.Send(room, "m.room.message", new Dictionary<string, object>
        {
            ["msgtype"] = "m.text", ["body"] = "reply", ["m.relates_to"] = new { rel_type = "m.thread", event_id = root.EventId },
        });
        (await bob.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/m.read/{ApiClient.Esc(reply.EventId)}", new { thread_id = root.EventId })).Ok();

        var notifications = (await bob.Get(Path)).Ok()["notifications"].Items();
        Assert.Equal([("reply", true), ("root", false)], notifications.Select(n => (n.String("event.content.body"), n.At("read").GetBoolean())));
    }
}
