namespace Matrix.ClientApi.Tests.Sync;

public sealed class SyncTests(MatrixServer server)
{
    [Fact]
    public async Task The_first_sync_shows_the_room_from_its_create_event()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "hello");
        var sync = await alice.Sync(filter: new { room = new { timeline = new { limit = 50 } } });
        Assert.Equal("m.room.create", sync.Timeline(room)[0].String("type"));
        Assert.Equal(["hello"], sync.Bodies(room));
        Assert.Empty(sync.State(room));
        Assert.False(sync.Joined(room)!.Value.At("timeline.limited").GetBoolean());
        Assert.Equal(1, sync.Joined(room)!.Value.At("summary").GetProperty("m.joined_member_count").GetInt32());
    }

    [Fact]
    public async Task A_limited_first_sync_brings_the_state_before_its_timeline()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.SetState(room, "m.room.topic", new { topic = "before" });
        for (var i = 0; i < 5; i++)
            await alice.Say(room, $"m{i}");
        await alice.SetState(room, "m.room.topic", new { topic = "after" });
        var sync = await alice.Sync(filter: new { room = new { timeline = new { limit = 3 } } });
        Assert.Equal(3, sync.Timeline(room).Count);
        Assert.True(sync.Joined(room)!.Value.At("timeline.limited").GetBoolean());
        Assert.Equal("before", sync.State(room).Single(e => e.String("type") == "m.room.topic").String("content.topic"));
        Assert.Contains(sync.State(room), e => e.String("type") == "m.room.create");
        Assert.Contains(sync.State(room), e => e.String("type") == "m.room.member" && e.String("state_key") == alice.UserId);
    }

    [Fact]
    public async Task The_next_sync_brings_only_what_is_new()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "one");
        var first = await alice.Sync();
        Assert.False((await alice.Sync(first.NextBatch)).Json.TryGetProperty("rooms", out _));
        await alice.Say(room, "two");
        var second = await alice.SyncUntil(sync => sync.Joined(room) is not null, first.NextBatch);
        Assert.Equal(["two"], second.Bodies(room));
        Assert.Empty(second.State(room));
        Assert.Null((await alice.Sync(second.NextBatch)).Joined(room));
    }

    [Fact]
    public async Task Only_the_sending_device_is_told_the_transaction()
    {
        var (alice, room) = await server.UserInRoom();
        var phone = await alice.NewDevice();
        var since = (await alice.Sync()).NextBatch;
        await alice.Send(room, "m.room.message", User.Text("x"), "my-txn");
        var own = await alice.SyncUntil(sync => sync.HasMessage(room, "x"), since);
        Assert.Equal("my-txn", own.Timeline(room)[^1].String("unsigned.transaction_id"));
        var other = await phone.SyncUntil(sync => sync.HasMessage(room, "x"), since);
        Assert.Null(other.Timeline(room)[^1].Find("unsigned.transaction_id"));
    }

    [Fact]
    public async Task An_invite_shows_the_stripped_state_and_a_join_the_whole_room()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreateRoom(new { name = "The room", preset = "private_chat" });
        var since = (await bob.Sync()).NextBatch;
        await alice.Invite(room, bob);
        var invited = await bob.SyncUntil(sync => sync.Invited(room) is not null, since);
        var state = invited.Invited(room)!.Value.At("invite_state.events").Items();
        Assert.Equal("The room", state.Single(e => e.String("type") == "m.room.name").String("content.name"));
        Assert.Contains(state, e => e.String("type") == "m.room.create");
        Assert.Contains(state, e => e.String("type") == "m.room.member" && e.String("state_key") == alice.UserId);
        Assert.Equal("invite", state.Single(e => e.Find("state_key")?.GetString() == bob.UserId).String("content.membership"));
        Assert.All(state, e => Assert.Equal(["content", "sender", "state_key", "type"], e.EnumerateObject().Select(m => m.Name).Order()));

        await bob.Join(room);
        var joined = await bob.SyncUntil(sync => sync.Joined(room) is not null, invited.NextBatch);
        Assert.Null(joined.Invited(room));
        Assert.Contains(joined.State(room).Concat(joined.Timeline(room)), e => e.String("type") == "m.room.name");
        Assert.Equal(2, joined.Joined(room)!.Value.At("summary").GetProperty("m.joined_member_count").GetInt32());
        Assert.Equal([alice.UserId], joined.Joined(room)!.Value.At("summary").GetProperty("m.heroes").Items().Select(h => h.GetString()));
    }

    [Fact]
    public async Task Who_leaves_sees_the_room_once_more_and_nothing_that_comes_later()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var since = (await bob.Sync()).NextBatch;
        await alice.Say(room, "before");
        await bob.Leave(room);
        await alice.Say(room, "after");
        var left = await bob.SyncUntil(sync => sync.Left(room) is not null, since);
        Assert.Equal(["before"], left.Bodies(room));
        Assert.Equal("leave", left.Timeline(room)[^1].String("content.membership"));
        Assert.Null(left.Joined(room));
        await alice.Say(room, "much later");
        var next = await bob.Sync(left.NextBatch);
        Assert.Null(next.Left(room));
        Assert.Null((await bob.Sync()).Left(room));
        var withLeft = await bob.Sync(filter: new { room = new { include_leave = true } });
        Assert.Equal("leave", withLeft.Timeline(room)[^1].String("content.membership"));
        Assert.DoesNotContain("after", withLeft.Bodies(room));
    }

    [Fact]
    public async Task A_rejected_invite_and_a_ban_show_as_left()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        await alice.Invite(room, bob);
        var invited = await bob.SyncUntil(sync => sync.Invited(room) is not null);
        await bob.Leave(room);
        var rejected = await bob.SyncUntil(sync => sync.Left(room) is not null, invited.NextBatch);
        Assert.Equal(bob.UserId, Assert.Single(rejected.Timeline(room)).String("state_key"));

        await bob.Join(room);
        var joined = await bob.SyncUntil(sync => sync.Joined(room) is not null, rejected.NextBatch);
        (await alice.Post($"/_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/ban", new { user_id = bob.UserId, reason = "no" })).Ok();
        var banned = await bob.SyncUntil(sync => sync.Left(room) is not null, joined.NextBatch);
        Assert.Equal("ban", banned.Timeline(room)[^1].String("content.membership"));
    }

    [Fact]
    public async Task A_knock_shows_as_such_and_a_kick_as_left()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreateRoom(new
        {
            name = "Knock here",
            initial_state = new[] { new { type = "m.room.join_rules", state_key = "", content = new { join_rule = "knock" } } },
        });
        var since = (await bob.Sync()).NextBatch;
        (await bob.Post($"/_matrix/client/v3/knock/{ApiClient.Esc(room)}")).Ok();
        var knocked = await bob.SyncUntil(s => Knocked(s, room) is not null, since);
        var state = Knocked(knocked, room)!.Value.At("knock_state.events").Items();
        Assert.Equal("knock", state.Single(e => e.Find("state_key")?.GetString() == bob.UserId).String("content.membership"));
        Assert.Contains(state, e => e.String("type") == "m.room.name");
        Assert.Contains(state, e => e.String("type") == "m.room.create");

        await alice.Invite(room, bob);
        await bob.Join(room);
        var joined = await bob.SyncUntil(s => s.Joined(room) is not null, knocked.NextBatch);
        (await alice.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/kick", new { user_id = bob.UserId, reason = "out" })).Ok();
        var kicked = await bob.SyncUntil(s => s.Left(room) is not null, joined.NextBatch);
        Assert.Equal("out", kicked.Timeline(room)[^1].String("content.reason"));
    }

    [Fact]
    public async Task A_forgotten_room_is_not_shown_any_more()
    {
        var (_, bob, room) = await server.TwoUsersInRoom();
        await bob.Leave(room);
        object withLeft = new { room = new { include_leave = true } };
        Assert.NotNull((await bob.SyncUntil(s => s.Left(room) is not null, filter: withLeft)).Left(room));
        (await bob.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/forget")).Ok();
        Assert.Null((await bob.Sync(filter: withLeft)).Left(room));
        (await bob.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/messages?dir=b")).Refused(403, "M_FORBIDDEN");
    }

    static System.Text.Json.JsonElement? Knocked(SyncReply sync, string room) => sync.Json.Find("rooms")?.Find("knock")?.Find(room);

    [Fact]
    public async Task A_rejoin_brings_the_state_that_changed_meanwhile()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        await bob.Join(room);
        var since = (await bob.Sync()).NextBatch;
        await bob.Leave(room);
        await alice.SetState(room, "m.room.topic", new { topic = "new" });
        for (var i = 0; i < 12; i++)
            await alice.Say(room, $"m{i}");
        await bob.Join(room);
        var sync = await bob.SyncUntil(s => s.Joined(room) is not null, since);
        Assert.True(sync.Joined(room)!.Value.At("timeline.limited").GetBoolean());
        Assert.Equal("new", sync.State(room).Single(e => e.String("type") == "m.room.topic").String("content.topic"));
    }

    [Fact]
    public async Task A_redacted_event_is_served_redacted_with_the_reason()
    {
        var (alice, room) = await server.UserInRoom();
        var sent = await alice.Say(room, "secret");
        var since = (await alice.SyncUntil(sync => sync.HasMessage(room, "secret"))).NextBatch;
        var redaction = await alice.Redact(room, sent.EventId, "a slip");
        var next = await alice.SyncUntil(sync => sync.Joined(room) is not null, since);
        Assert.Equal(sent.EventId, next.Timeline(room)[^1].String("redacts"));
        var again = (await alice.Sync()).Timeline(room).Single(e => e.String("event_id") == sent.EventId);
        Assert.Empty(again.At("content").EnumerateObject());
        Assert.Equal(redaction.EventId, again.String("unsigned.redacted_because.event_id"));
        Assert.Equal("a slip", again.String("unsigned.redacted_because.content.reason"));
    }

    [Fact]
    public async Task Account_data_comes_once_global_and_with_its_room()
    {
        var (alice, room) = await server.UserInRoom();
        var since = (await alice.Sync()).NextBatch;
        (await alice.Put($"/_matrix/client/v3/user/{alice.UserId}/account_data/org.example.x", new { a = 1 })).Ok();
        (await alice.Put($"/_matrix/client/v3/user/{alice.UserId}/rooms/{Uri.EscapeDataString(room)}/account_data/org.example.y", new { b = 2 })).Ok();
        var sync = await alice.SyncUntil(s => s.Joined(room) is not null, since);
        Assert.Equal(2, sync.Joined(room)!.Value.At("account_data.events")[0].At("content.b").GetInt32());
        var first = await alice.Sync();
        Assert.Equal(1, first.AccountData.Single(e => e.String("type") == "org.example.x").At("content.a").GetInt32());
        Assert.Empty((await alice.Sync(sync.NextBatch)).AccountData);
    }

    [Fact]
    public async Task Filters_keep_out_rooms_types_and_senders()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var other = await alice.CreateRoom();
        await alice.Say(room, "from alice");
        await bob.Say(room, "from bob");
        await bob.Send(room, "org.example.other", new { x = 1 });
        var sync = await alice.Sync(filter: new { room = new { rooms = new[] { room }, timeline = new { types = new[] { "m.room.m*" }, senders = new[] { bob.UserId } } } });
        Assert.Null(sync.Joined(other));
        Assert.Equal(["m.room.member", "m.room.message"], sync.Timeline(room).Select(e => e.String("type")));
        Assert.Equal(["from bob"], sync.Bodies(room));
    }

    [Fact]
    public async Task A_stored_filter_works_as_an_inline_one()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "one");
        await alice.Say(room, "two");
        var id = (await alice.Post($"/_matrix/client/v3/user/{alice.UserId}/filter", new { room = new { timeline = new { limit = 1 } } })).Ok().String("filter_id");
        Assert.Equal(["two"], (await alice.Sync(filter: id)).Bodies(room));
        (await alice.Get("/_matrix/client/v3/sync?filter=99999999")).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task State_that_the_timeline_filter_hides_comes_as_state()
    {
        var (alice, room) = await server.UserInRoom();
        var since = (await alice.Sync()).NextBatch;
        await alice.SetState(room, "m.room.topic", new { topic = "t" });
        await alice.Say(room, "x");
        var sync = await alice.SyncUntil(s => s.HasMessage(room, "x"), since, new { room = new { timeline = new { types = new[] { "m.room.message" } } } });
        Assert.Equal("t", Assert.Single(sync.State(room)).String("content.topic"));
    }

    [Fact]
    public async Task Full_state_repeats_the_state_at_once()
    {
        var (alice, room) = await server.UserInRoom();
        var since = (await alice.Sync()).NextBatch;
        var sync = await alice.Sync(since, timeout: 30_000, fullState: true);
        Assert.Contains(sync.State(room), e => e.String("type") == "m.room.create");
        Assert.Empty(sync.Timeline(room));
    }

    [Theory]
    [InlineData("use_state_after", "state_after")]
    [InlineData("org.matrix.msc4222.use_state_after", "org.matrix.msc4222.state_after")]
    public async Task State_after_is_the_state_at_the_end_under_the_name_that_was_asked_for(string parameter, string member)
    {
        var (alice, room) = await server.UserInRoom();
        var since = (await alice.Sync()).NextBatch;
        await alice.SetState(room, "m.room.topic", new { topic = "one" });
        await alice.SetState(room, "m.room.topic", new { topic = "two" });
        await alice.SyncUntil(s => s.Timeline(room).Count == 2, since);
        var json = (await alice.Get($"/_matrix/client/v3/sync?since={since}&{parameter}=true")).Ok().Json.At("rooms").At("join").GetProperty(room);
        Assert.False(json.TryGetProperty("state", out _));
        Assert.Equal("two", Assert.Single(json.GetProperty(member).GetProperty("events").Items()).String("content.topic"));
        var first = (await alice.Get($"/_matrix/client/v3/sync?{parameter}=true")).Ok().Json.At("rooms").At("join").GetProperty(room);
        Assert.Contains(first.GetProperty(member).GetProperty("events").Items(), e => e.String("type") == "m.room.topic" && e.String("content.topic") == "two");
    }

    [Fact]
    public async Task State_events_show_what_they_replaced()
    {
        var (alice, room) = await server.UserInRoom();
        var before = await alice.SetState(room, "m.room.topic", new { topic = "one" });
        await alice.SetState(room, "m.room.topic", new { topic = "two" });
        var e = (await alice.Sync()).Timeline(room)[^1];
        Assert.Equal("one", e.String("unsigned.prev_content.topic"));
        Assert.Equal(before.EventId, e.String("unsigned.replaces_state"));
    }

    [Fact]
    public async Task A_token_that_the_log_never_reached_is_a_fresh_start()
    {
        var (alice, room) = await server.UserInRoom();
        var sync = await alice.Sync("s999999999999");
        Assert.Contains(sync.Timeline(room), e => e.String("type") == "m.room.create");
        Assert.NotEqual("s999999999999", sync.NextBatch);
    }

    [Theory]
    [InlineData("since=nonsense")]
    [InlineData("timeout=-1")]
    [InlineData("timeout=x")]
    [InlineData("full_state=maybe")]
    [InlineData("set_presence=happy")]
    public async Task A_wrong_parameter_is_refused(string query)
    {
        var alice = await server.NewUser();
        (await alice.Get($"/_matrix/client/v3/sync?{query}")).Refused(400, "M_INVALID_PARAM");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"room\":{\"timeline\":{\"limit\":-1}}}")]
    public async Task A_filter_of_the_wrong_shape_is_refused(string filter)
    {
        var alice = await server.NewUser();
        (await alice.Get($"/_matrix/client/v3/sync?filter={ApiClient.Esc(filter)}")).Refused(400, "M_BAD_JSON");
        if (filter.EndsWith('}'))
            (await alice.Post($"/_matrix/client/v3/user/{alice.UserId}/filter", filter)).Refused(400, "M_BAD_JSON");
    }

    [Fact]
    public async Task Lazy_loading_brings_each_sender_once()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var carol = await server.NewUser();
        await alice.Invite(room, carol);
        await carol.Join(room);
        for (var i = 0; i < 3; i++)
            await alice.Say(room, $"m{i}");
        object lean = new { room = new { timeline = new { limit = 2 }, state = new { lazy_load_members = true } } };
        var first = await carol.Sync(filter: lean);
        // the sender, the heroes and the user
        Assert.Equal(Sorted(alice.UserId, bob.UserId, carol.UserId), Members(first, room));

        await bob.Say(room, "b1");
        var second = await carol.SyncUntil(s => s.HasMessage(room, "b1"), first.NextBatch, lean);
        Assert.Empty(Members(second, room));
        var redundant = await carol.SyncUntil(s => s.HasMessage(room, "b1"), first.NextBatch,
            new { room = new { timeline = new { limit = 2 }, state = new { lazy_load_members = true, include_redundant_members = true } } });
        Assert.Equal([bob.UserId], Members(redundant, room));
    }

    static List<string> Members(SyncReply sync, string room) =>
        [.. sync.State(room).Where(e => e.String("type") == "m.room.member").Select(e => e.String("state_key")).Order(StringComparer.Ordinal)];

    static List<string> Sorted(params string[] ids) => [.. ids.Order(StringComparer.Ordinal)];
}
