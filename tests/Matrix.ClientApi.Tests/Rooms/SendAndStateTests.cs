namespace Matrix.ClientApi.Tests.Rooms;

public sealed class SendAndStateTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3";

    [Fact]
    public async Task A_repeated_transaction_id_returns_the_first_event()
    {
        var (alice, room) = await server.UserInRoom();
        var first = await alice.Send(room, "m.room.message", User.Text("hi"), "t1");
        var again = await alice.Send(room, "m.room.message", User.Text("hi"), "t1");
        var other = await (await alice.NewDevice()).Send(room, "m.room.message", User.Text("hi"), "t1");
        Assert.Equal(first.EventId, again.EventId);
        Assert.NotEqual(first.EventId, other.EventId);
    }

    [Fact]
    public async Task Retries_at_the_same_time_send_once()
    {
        var (alice, room) = await server.UserInRoom();
        var sent = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => alice.Send(room, "m.room.message", User.Text("hi"), "t1")));
        Assert.Single(sent.Distinct());
    }

    [Fact]
    public async Task Only_members_send()
    {
        var (_, room) = await server.UserInRoom();
        var bob = await server.NewUser();
        (await bob.TrySend(room, "m.room.message", User.Text("hi"))).Refused(403, "M_FORBIDDEN");
        (await bob.TrySend("!nowhere:" + server.ServerName, "m.room.message", User.Text("hi"))).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task Content_that_no_event_can_have_is_refused()
    {
        var (alice, room) = await server.UserInRoom();
        (await alice.TrySend(room, "m.room.message", "[1]")).Refused(400, "M_BAD_JSON");
        (await alice.TrySend(room, "m.room.message", "nonsense")).Refused(400, "M_NOT_JSON");
        (await alice.TrySend(room, "m.room.message", new { body = 1.5 })).Refused(400, "M_BAD_JSON");
        (await alice.TrySend(room, "m.room.message", User.Text(new string('x', 66_000)))).Refused(413, "M_TOO_LARGE");
    }

    [Theory]
    [InlineData("state", "org.example%00", "k", "{}")]
    [InlineData("state", "org.example", "k%00", "{}")]
    [InlineData("send", "org.example%00", "t", "{}")]
    [InlineData("send", "org.example", "t%00", "{}")]
    [InlineData("send", "org.example", "t", "{\"a\":\"\\ud800\"}")]
    [InlineData("state", "m.room.name", "", "{\"name\":\"\\ud800\"}")]
    public async Task Text_that_cannot_be_stored_is_refused(string what, string type, string key, string content)
    {
        var (alice, room) = await server.UserInRoom();
        var reply = await alice.Put($"{V3}/rooms/{ApiClient.Esc(room)}/{what}/{type}/{key}", content);
        Assert.True((int)reply.Status == 400, reply.ToString());
    }

    [Fact]
    public async Task Nul_in_what_lists_show_is_no_failure()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.SetState(room, "m.room.name", new { name = "a\0b" });
        await alice.SetState(room, "m.room.member", new { membership = "join", displayname = "a\0b", avatar_url = "\0" }, alice.UserId);
        Assert.Equal("a\0b", (await alice.GetState(room, "m.room.member", alice.UserId)).At("displayname").GetString());
    }

    [Fact]
    public async Task State_with_the_empty_key_is_reached_with_and_without_the_slash()
    {
        var (alice, room) = await server.UserInRoom();
        var path = $"{V3}/rooms/{ApiClient.Esc(room)}/state/m.room.topic";
        (await alice.Get(path)).Refused(404, "M_NOT_FOUND");
        (await alice.Put(path, new { topic = "one" })).Ok();
        Assert.Equal("one", (await alice.Get(path + "/")).Ok().String("topic"));
        (await alice.Put(path + "/", new { topic = "two" })).Ok();
        Assert.Equal("two", (await alice.Get(path)).Ok().String("topic"));
        var whole = (await alice.Get(path + "?format=event")).Ok();
        Assert.Equal("two", whole.String("content.topic"));
        Assert.Equal(alice.UserId, whole.String("sender"));
        Assert.Equal("", whole.String("state_key"));
    }

    [Fact]
    public async Task A_state_key_may_have_any_character()
    {
        var (alice, room) = await server.UserInRoom();
        foreach (var key in new[] { "a/b", "a b", "100%", "%2F", "ü", "#x:y", "../z" })
        {
            await alice.SetState(room, "org.example", new { key }, key);
            Assert.Equal(key, (await alice.GetState(room, "org.example", key)).At("key").GetString());
        }
    }

    [Fact]
    public async Task All_state_is_one_list_of_events()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.SetState(room, "m.room.topic", new { topic = "t" });
        var state = (await alice.Get($"{V3}/rooms/{ApiClient.Esc(room)}/state")).Ok().Json.EnumerateArray().ToArray();
        Assert.Equal(
            ["m.room.create", "m.room.guest_access", "m.room.history_visibility", "m.room.join_rules", "m.room.member", "m.room.power_levels", "m.room.topic"],
            state.Select(e => e.At("type").GetString()).Order(StringComparer.Ordinal));
        Assert.All(state, e => Assert.Equal(room, e.At("room_id").GetString()));
    }

    [Fact]
    public async Task Who_left_sees_the_state_as_it_was_then()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await alice.SetState(room, "m.room.topic", new { topic = "before" });
        await bob.Leave(room);
        await alice.SetState(room, "m.room.topic", new { topic = "after" });
        Assert.Equal("before", (await bob.GetState(room, "m.room.topic")).At("topic").GetString());
        var carol = await server.NewUser();
        (await carol.Get($"{V3}/rooms/{ApiClient.Esc(room)}/state")).Refused(403, "M_FORBIDDEN");
        await alice.SetState(room, "m.room.history_visibility", new { history_visibility = "world_readable" });
        Assert.Equal("after", (await carol.GetState(room, "m.room.topic")).At("topic").GetString());
    }

    [Fact]
    public async Task State_is_for_those_with_power()
    {
        var (_, bob, room) = await server.TwoUsersInRoom();
        (await bob.TrySetState(room, "m.room.name", new { name = "mine" })).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task A_redacted_event_shows_nothing_but_that_it_was_redacted()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var topic = await alice.SetState(room, "m.room.topic", new { topic = "secret" });
        (await bob.Put($"{V3}/rooms/{ApiClient.Esc(room)}/redact/{ApiClient.Esc(topic.EventId)}/r1", new { })).Refused(403, "M_FORBIDDEN");
        var redaction = await alice.Redact(room, topic.EventId, "oops");
        Assert.Equal("{}", (await alice.GetState(room, "m.room.topic")).GetRawText());
        var seen = (await alice.Get($"{V3}/rooms/{ApiClient.Esc(room)}/state/m.room.topic/?format=event")).Ok();
        Assert.Equal(redaction.EventId, seen["unsigned.redacted_because"].At("event_id").GetString());
        Assert.Equal("oops", seen["unsigned.redacted_because"].At("content.reason").GetString());
    }

    [Theory]
    [InlineData("10")]
    [InlineData("11")]
    public async Task A_redaction_may_be_sent_as_a_message_in_every_room_version(string version)
    {
        var alice = await server.NewUser();
        var room = await alice.CreateRoom(new { room_version = version });
        var said = await alice.Say(room, "secret");
        var redaction = await alice.Send(room, "m.room.redaction", new { redacts = said.EventId, reason = "oops" });
        Assert.Equal(redaction.EventId, (await alice.Event(room, said.EventId)).String("unsigned.redacted_because.event_id"));
        var shown = await alice.Event(room, redaction.EventId);
        Assert.Equal((said.EventId, said.EventId, "oops"), (shown.String("redacts"), shown.String("content.redacts"), shown.String("content.reason")));
        (await alice.TrySend(room, "m.room.redaction", new { redacts = "$nothing" })).Refused(404, "M_NOT_FOUND");
        (await alice.TrySend(room, "m.room.redaction", new { reason = "of nothing" })).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task A_canonical_alias_must_lead_to_the_room()
    {
        var (alice, room) = await server.UserInRoom();
        var alias = $"#own-{Guid.NewGuid():N}:{server.ServerName}";
        (await alice.TrySetState(room, "m.room.canonical_alias", new { alias })).Refused(400, "M_BAD_ALIAS");
        (await alice.TrySetState(room, "m.room.canonical_alias", new { alias = "nonsense" })).Refused(400, "M_INVALID_PARAM");
        (await alice.Put($"{V3}/directory/room/{ApiClient.Esc(alias)}", new { room_id = room })).Ok();
        (await alice.TrySetState(room, "m.room.canonical_alias", new { alias })).Ok();
    }
}
