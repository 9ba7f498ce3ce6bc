namespace Matrix.Pusher.Tests;

/// <summary>What push gateways are told.</summary>
public sealed class NotificationTests(PushServer push)
{
    [Fact]
    public async Task A_message_is_pushed_with_what_the_gateway_needs_to_show_it()
    {
        var (alice, bob, room, key) = await push.PushedInRoom(new { url = push.Gateway.Url, custom = "kept" });
        var sent = await alice.Say(room, "Hello Bob");

        var pushed = Assert.Single(await push.Gateway.Wait(key, 1));
        Assert.Equal((sent.EventId, room, "m.room.message", alice.UserId),
            (pushed.String("event_id"), pushed.String("room_id"), pushed.String("type"), pushed.String("sender")));
        Assert.Equal((alice.Localpart, "The room", "Hello Bob"),
            (pushed.String("sender_display_name"), pushed.String("room_name"), pushed.String("content.body")));
        Assert.Equal(1, pushed.At("counts.unread").GetInt32());
        Assert.Equal("high", pushed.String("prio")); // a chat of two makes a sound
        var device = pushed.At("devices")[0];
        Assert.Equal(("org.example.app", "kept", "default"), (device.String("app_id"), device.String("data.custom"), device.String("tweaks.sound")));
        Assert.Null(device.Find("data.url"));
        Assert.True(device.At("pushkey_ts").GetInt64() > 1_700_000_000);
        Assert.Null(pushed.Find("user_is_target"));
    }

    [Fact]
    public async Task A_gateway_that_wants_only_the_id_learns_no_more()
    {
        var (alice, _, room, key) = await push.PushedInRoom(new { url = push.Gateway.Url, format = "event_id_only" });
        var sent = await alice.Say(room, "A secret");

        var pushed = Assert.Single(await push.Gateway.Wait(key, 1));
        Assert.Equal((sent.EventId, room, 1, "event_id_only"), (pushed.String("event_id"), pushed.String("room_id"),
            pushed.At("counts.unread").GetInt32(), pushed.At("devices")[0].String("data.format")));
        Assert.All(["type", "sender", "content", "room_name", "sender_display_name"], name => Assert.Null(pushed.Find(name)));
    }

    [Fact]
    public async Task Whoever_is_mentioned_is_pushed_with_a_highlight_and_who_is_not_without_haste()
    {
        var (alice, bob, room, key) = await push.PushedInRoom();
        var carol = await push.Server.NewUser();
        await alice.Invite(room, carol);
        await carol.Join(room);
        await alice.Say(room, "To everybody");
        await push.Gateway.Wait(key, 1); // counts are those of the moment
        await alice.Send(room, "m.room.message", new Dictionary<string, object>
        {
            ["msgtype"] = "m.text", ["body"] = "Bob!", ["m.mentions"] = new { user_ids = new[] { bob.UserId } },
        });

        var pushed = await push.Gateway.Wait(key, 2);
        Assert.Equal(["low", "high"], pushed.Select(n => n.String("prio")));
        Assert.Null(pushed[0].At("devices")[0].Find("tweaks.highlight"));
        Assert.True(pushed[1].At("devices")[0].At("tweaks.highlight").GetBoolean());
        Assert.Equal([1, 2], pushed.Select(n => n.At("counts.unread").GetInt32()));
    }

    [Fact]
    public async Task Rules_decide_what_is_pushed()
    {
        var (alice, bob, room, key) = await push.PushedInRoom();
        await alice.Send(room, "m.room.message", new { msgtype = "m.notice", body = "suppressed by default" });
        (await bob.Put($"/_matrix/client/v3/pushrules/global/room/{ApiClient.Esc(room)}", new { actions = Array.Empty<string>() })).Ok();
        await alice.Say(room, "muted");
        (await bob.Put("/_matrix/client/v3/pushrules/global/content/word",
            new { actions = new object[] { "notify", new { set_tweak = "sound", value = "bing" } }, pattern = "cake" })).Ok();
        await alice.Say(room, "There is cake");

        var pushed = Assert.Single(await push.Gateway.Wait(key, 1));
        Assert.Equal(("There is cake", "bing"), (pushed.String("content.body"), pushed.At("devices")[0].String("tweaks.sound")));
    }

    [Fact]
    public async Task Nobody_is_pushed_what_they_said_themselves_or_before_the_pusher_was_set()
    {
        var (alice, bob, room) = await push.Server.TwoUsersInRoom();
        await alice.Say(room, "earlier");
        var key = await push.SetPusher(bob);
        await bob.Say(room, "mine");
        await alice.Say(room, "later");

        var pushed = await push.Gateway.WaitUntil(() => push.Gateway.For(key), all => all.Any(n => n.Find("event_id") is not null));
        Assert.Equal(["later"], pushed.Where(n => n.Find("event_id") is not null).Select(n => n.String("content.body")));
    }

    [Fact]
    public async Task An_invite_is_pushed_to_who_is_invited_under_the_name_of_who_is_there()
    {
        var (alice, bob) = (await push.Server.NewUser(), await push.Server.NewUser());
        var key = await push.SetPusher(bob);
        var room = await alice.CreateRoom();
        await alice.Invite(room, bob);

        var pushed = Assert.Single(await push.Gateway.Wait(key, 1));
        Assert.Equal(("m.room.member", "invite", alice.Localpart), (pushed.String("type"), pushed.String("content.membership"), pushed.String("room_name")));
        Assert.True(pushed.At("user_is_target").GetBoolean());
        Assert.Equal(1, pushed.At("counts.unread").GetInt32());
    }

    [Fact]
    public async Task Reading_is_told_by_a_count_alone()
    {
        var (alice, bob, room, key) = await push.PushedInRoom();
        await alice.Say(room, "one");
        await push.Gateway.Wait(key, 1); // counts are those of the moment
        var last = await alice.Say(room, "two");
        await push.Gateway.Wait(key, 2);
        (await bob.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/m.read/{ApiClient.Esc(last.EventId)}")).Ok();

        var pushed = await push.Gateway.Wait(key, 3);
        Assert.Equal([1, 2, 0], pushed.Select(n => n.At("counts.unread").GetInt32()));
        Assert.Null(pushed[2].Find("event_id"));
        Assert.Equal("low", pushed[2].String("prio"));
    }

    [Fact]
    public async Task A_pusher_that_is_switched_off_is_silent_until_it_is_switched_on()
    {
        var (alice, bob, room, key) = await push.PushedInRoom();
        await push.SetPusher(bob, key, enabled: false);
        await alice.Say(room, "unheard");
        await push.SetPusher(bob, key);
        await alice.Say(room, "heard");

        var pushed = await push.Gateway.Wait(key, 1);
        Assert.Equal(["heard"], pushed.Select(n => n.String("content.body")));
    }
}
