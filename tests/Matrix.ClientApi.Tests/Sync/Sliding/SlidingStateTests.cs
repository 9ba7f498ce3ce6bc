namespace Matrix.ClientApi.Tests.Sync.Sliding;

public sealed class SlidingStateTests(MatrixServer server)
{
    static readonly string[] Create = ["m.room.create", ""], Everything = ["*", "*"], Lazy = ["m.room.member", "$LAZY"], Me = ["m.room.member", "$ME"];

    [Fact]
    public async Task Only_the_state_that_is_asked_for_comes()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await alice.SetState(room, "org.example.a", new { }, "1");
        await alice.SetState(room, "org.example.a", new { }, "2");
        await alice.SetState(room, "org.example.b", new { }, "1");
        await alice.SlideUntil(SlidingRequests.List(state: [Everything]), s => s.StateKeys(room).Contains("org.example.b 1"));

        Assert.Empty(await Keys([]));
        Assert.Equal(["m.room.create"], await Keys([Create]));
        Assert.Equal([$"m.room.member {alice.UserId}"], await Keys([Me]));
        Assert.Equal(["org.example.a 1", "org.example.a 2"], await Keys([["org.example.a", "*"]]));
        Assert.Equal(["org.example.a 1", "org.example.b 1"], await Keys([["*", "1"]]));
        Assert.Equal([$"m.room.member {bob.UserId}"], await Keys([["*", bob.UserId]]));
        Assert.Equal(new[] { $"m.room.member {alice.UserId}", $"m.room.member {bob.UserId}" }.Order(), await Keys([["m.room.member", "*"]]));
        Assert.Equal(["m.room.create", "org.example.a 2"], await Keys([Create, ["org.example.a", "2"], ["org.example.none", "*"]]));
        Assert.Contains("m.room.power_levels", await Keys([Everything]));
        Assert.Contains($"m.room.member {bob.UserId}", await Keys([Everything]));
        var lazy = await Keys([Everything, Lazy]);
        Assert.Contains("m.room.power_levels", lazy);
        Assert.DoesNotContain($"m.room.member {bob.UserId}", lazy);

        async Task<IReadOnlyList<string>> Keys(string[][] state) => (await alice.Slide(SlidingRequests.List(limit: 1, state: state))).StateKeys(room);
    }

    [Fact]
    public async Task State_that_changes_comes_when_it_is_followed()
    {
        var (alice, room) = await server.UserInRoom();
        var body = SlidingRequests.List(limit: 1, state: [["m.room.topic", ""], ["org.example.a", "*"]]);
        var pos = (await alice.SlideUntil(body, s => s.Room(room) is not null)).Pos;
        await alice.SetState(room, "m.room.topic", new { topic = "t" });
        await alice.SetState(room, "m.room.name", new { name = "n" });
        await alice.SetState(room, "org.example.a", new { v = 1 }, "k");
        await alice.SetState(room, "org.example.a", new { v = 2 }, "k");
        await alice.Say(room, "done");
        var next = await alice.SlideUntil(body, s => s.HasMessage(room, "done"), pos);
        Assert.Equal(["m.room.topic", "org.example.a k"], next.StateKeys(room));
        Assert.Equal(2, next.State(room).Single(e => e.String("type") == "org.example.a").At("content.v").GetInt32());
        Assert.Equal("n", next[room].String("name"));
        pos = next.Pos;
        await alice.SetState(room, "m.room.topic", new { topic = "u" });
        Assert.Equal(["m.room.topic"], (await alice.SlideUntil(body, s => s.Room(room) is not null, pos)).StateKeys(room));
    }

    [Fact]
    public async Task Members_are_loaded_as_the_timeline_shows_them()
    {
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        var (bob, carol) = (await server.NewUser(), await server.NewUser());
        await bob.Join(room);
        await carol.Join(room);
        await alice.Say(room, "a");
        var body = SlidingRequests.List(limit: 1, state: [Lazy]);
        var first = await alice.SlideUntil(body, s => s.HasMessage(room, "a"));
        Assert.Equal([$"m.room.member {alice.UserId}"], first.StateKeys(room));
        await bob.Say(room, "b");
        var second = await alice.SlideUntil(body, s => s.HasMessage(room, "b"), first.Pos);
        Assert.Equal([$"m.room.member {bob.UserId}"], second.StateKeys(room));
        // who asks again gets them again
        second = await alice.Slide(body, first.Pos);
        Assert.Equal([$"m.room.member {bob.UserId}"], second.StateKeys(room));
        await bob.Say(room, "c");
        Assert.Empty((await alice.SlideUntil(body, s => s.HasMessage(room, "c"), second.Pos)).State(room));
        // changes of members who are not shown are news as well
        await carol.Leave(room);
        var left = await alice.SlideUntil(body, s => s.StateKeys(room).Count > 0, second.Pos);
        Assert.Contains(left.State(room), e => e.String("state_key") == carol.UserId && e.String("content.membership") == "leave");
    }

    [Fact]
    public async Task Names_pictures_counts_and_heroes_come_with_the_room_and_when_they_change()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        (await bob.Put($"/_matrix/client/v3/profile/{bob.UserId}/displayname", new { displayname = "Bob" })).Ok();
        (await bob.Put($"/_matrix/client/v3/profile/{bob.UserId}/avatar_url", new { avatar_url = "mxc://test.example/bob" })).Ok();
        var room = await alice.CreateRoom();
        await alice.Invite(room, bob);
        var body = SlidingRequests.List(limit: 1);
        var first = await alice.SlideUntil(body, s => s.Room(room)?.Find("invited_count")?.GetInt32() == 1);
        Assert.Equal(1, first[room].GetProperty("joined_count").GetInt32());
        var hero = first[room].At("heroes").Items().Single();
        Assert.Equal(bob.UserId, hero.String("user_id"));
        await bob.Join(room);
        var joined = await alice.SlideUntil(body, s => s.Room(room)?.Find("joined_count")?.GetInt32() == 2, first.Pos);
        Assert.Equal(0, joined[room].GetProperty("invited_count").GetInt32());
        hero = joined[room].At("heroes").Items().Single();
        Assert.Equal(("Bob", "mxc://test.example/bob"), (hero.String("displayname"), hero.String("avatar_url")));
        await alice.SetState(room, "m.room.name", new { name = "Name" });
        await alice.SetState(room, "m.room.avatar", new { url = "mxc://test.example/room" });
        var named = await alice.SlideUntil(body, s => s.Room(room)?.Find("avatar") is not null, joined.Pos);
        Assert.Equal("mxc://test.example/room", named[room].String("avatar"));
        var again = await alice.Slide(body);
        Assert.Equal("Name", again[room].String("name"));
        Assert.False(again[room].TryGetProperty("heroes", out _));
        await alice.SetState(room, "m.room.name", new { });
        var unnamed = await alice.SlideUntil(body, s => s.Room(room)?.Find("name") is { ValueKind: System.Text.Json.JsonValueKind.Null }, named.Pos);
        Assert.Equal([room], unnamed.Rooms);
        Assert.False((await alice.Slide(body))[room].TryGetProperty("name", out _));
    }

    [Fact]
    public async Task A_subscription_brings_more_of_a_room_that_is_in_a_list()
    {
        var (alice, room) = await server.UserInRoom();
        foreach (var text in new[] { "1", "2", "3" })
            await alice.Say(room, text);
        var body = SlidingRequests.List(limit: 1, state: [Create]);
        var first = await alice.SlideUntil(body, s => s.HasMessage(room, "3"));
        var more = SlidingRequests.List(limit: 1, state: [Create], subscriptions: SlidingRequests.Subscribe(room, 3, ["m.room.join_rules", ""], Create));
        var second = await alice.Slide(more, first.Pos);
        Assert.Equal(["1", "2", "3"], second.Bodies(room));
        Assert.Equal(["m.room.join_rules"], second.StateKeys(room));
        Assert.True(second[room].GetProperty("unstable_expanded_timeline").GetBoolean());
        Assert.Equal(0, second[room].GetProperty("num_live").GetInt32());
        Assert.False(second[room].TryGetProperty("initial", out _));
        Assert.True((await alice.Slide(more, second.Pos)).IsEmpty);
        // nor does it come again when the subscription is given up and taken up again
        var third = await alice.Slide(body, second.Pos);
        Assert.True((await alice.Slide(more, third.Pos)).IsEmpty);
    }

    [Fact]
    public async Task A_gap_makes_the_longer_timeline_worth_sending_again()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "0");
        var less = SlidingRequests.List(limit: 1);
        var more = SlidingRequests.List(limit: 1, subscriptions: SlidingRequests.Subscribe(room, 4));
        var pos = (await alice.SlideUntil(more, s => s.HasMessage(room, "0"))).Pos;
        await alice.Say(room, "1");
        await alice.Say(room, "2");
        await alice.Say(room, "3");
        var gap = await alice.SlideUntil(less, s => s.HasMessage(room, "3"), pos);
        Assert.Equal(["3"], gap.Bodies(room));
        Assert.Equal(["0", "1", "2", "3"], (await alice.Slide(more, gap.Pos)).Bodies(room));
    }

    [Fact]
    public async Task A_subscription_to_a_room_in_no_list_brings_it()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await alice.Say(room, "x");
        await bob.SyncUntil(s => s.HasMessage(room, "x"));
        var eve = await server.NewUser();
        var body = new { room_subscriptions = SlidingRequests.Subscribe(room, 20, Create) };
        var reply = await bob.Slide(body);
        Assert.Equal([room], reply.Rooms);
        Assert.Equal(["m.room.create"], reply.StateKeys(room));
        Assert.False(reply[room].TryGetProperty("lists", out _));
        Assert.True((await eve.Slide(body)).IsEmpty);
        await alice.Say(room, "y");
        Assert.Equal(["y"], (await bob.SlideUntil(body, s => !s.IsEmpty, reply.Pos)).Bodies(room));
    }
}
