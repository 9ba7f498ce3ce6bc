namespace Matrix.ClientApi.Tests.Sync.Sliding;

public sealed class SlidingListTests(MatrixServer server)
{
    [Fact]
    public async Task The_first_answer_has_the_most_recently_active_rooms_of_the_range()
    {
        var alice = await server.NewUser();
        var (a, b, c) = (await alice.CreateRoom(), await alice.CreateRoom(), await alice.CreateRoom());
        await alice.Say(a, "newest");
        var first = await alice.SlideUntil(SlidingRequests.List(to: 1), s => s.HasMessage(a, "newest"));
        Assert.Equal(new[] { a, c }.Order(), first.Rooms.Order());
        Assert.Equal(3, first.Count("all"));
        Assert.True(first[a].GetProperty("initial").GetBoolean());
        Assert.True(first[a].GetProperty("bump_stamp").GetInt64() > first[c].GetProperty("bump_stamp").GetInt64());
        Assert.DoesNotContain(b, first.Rooms);
    }

    [Fact]
    public async Task A_growing_range_brings_the_rooms_that_are_new_in_it_and_no_others()
    {
        var alice = await server.NewUser();
        var rooms = new List<string>();
        for (var i = 0; i < 5; i++)
            rooms.Add(await alice.CreateRoom());
        await alice.Say(rooms[4], "last");
        var first = await alice.SlideUntil(SlidingRequests.List(to: 1), s => s.HasMessage(rooms[4], "last"));
        var second = await alice.Slide(SlidingRequests.List(to: 3), first.Pos);
        Assert.Equal(new[] { rooms[2], rooms[1] }.Order(), second.Rooms.Order());
        var third = await alice.Slide(SlidingRequests.List(to: 100), second.Pos);
        Assert.Equal([rooms[0]], third.Rooms);
        Assert.True((await alice.Slide(SlidingRequests.List(to: 100), third.Pos)).IsEmpty);
    }

    [Fact]
    public async Task Several_ranges_are_windows_of_one_list()
    {
        var alice = await server.NewUser();
        var rooms = new List<string>();
        for (var i = 0; i < 5; i++)
            rooms.Add(await alice.CreateRoom());
        await alice.Say(rooms[4], "last");
        var body = SlidingRequests.List(ranges: [[0, 0], [3, 4]]);
        var first = await alice.SlideUntil(body, s => s.HasMessage(rooms[4], "last"));
        Assert.Equal(new[] { rooms[4], rooms[1], rooms[0] }.Order(), first.Rooms.Order());
        // what moves up pushes another room into the second range
        await alice.Say(rooms[0], "up");
        var next = await alice.SlideUntil(body, s => s.HasMessage(rooms[0], "up"), first.Pos);
        Assert.Contains(rooms[2], (await alice.SlideUntil(body, s => s.Room(rooms[2]) is not null || next.Room(rooms[2]) is not null, next.Pos)).Rooms.Concat(next.Rooms));
    }

    [Fact]
    public async Task A_message_brings_its_room_alone_with_what_is_new()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var quiet = await alice.CreateRoom();
        await alice.Say(room, "before");
        var one = SlidingRequests.List(limit: 1);
        var first = await alice.SlideUntil(one, s => s.HasMessage(room, "before") && s.Room(quiet) is not null);
        var waiting = alice.SlideUntil(one, s => s.HasMessage(room, "x"), first.Pos);
        await bob.Say(room, "x");
        var next = await waiting;
        Assert.Equal([room], next.Rooms);
        Assert.Equal(["x"], next.Bodies(room));
        Assert.Equal(1, next[room].GetProperty("num_live").GetInt32());
        Assert.False(next[room].TryGetProperty("initial", out _));
        Assert.False(next[room].TryGetProperty("name", out _));
        Assert.False(next[room].GetProperty("limited").GetBoolean());
        // the sender of what is shown comes with it, once
        Assert.Contains(next.State(room), e => e.String("state_key") == bob.UserId);
        await bob.Say(room, "y");
        Assert.Empty((await alice.SlideUntil(one, s => s.HasMessage(room, "y"), next.Pos)).State(room));
    }

    [Fact]
    public async Task A_room_out_of_sight_comes_whole_again_only_as_what_was_missed()
    {
        var alice = await server.NewUser();
        var (a, b) = (await alice.CreateRoom(), await alice.CreateRoom());
        await alice.Say(b, "b0");
        var wide = SlidingRequests.List(to: 10);
        var narrow = SlidingRequests.List(to: 0);
        var pos = (await alice.SlideUntil(wide, s => s.HasMessage(b, "b0"))).Pos;
        await alice.Say(a, "a1");
        await alice.Say(b, "b1");
        var next = await alice.SlideUntil(narrow, s => s.HasMessage(b, "b1"), pos);
        Assert.Equal([b], next.Rooms);
        await alice.Say(a, "a2");
        var last = await alice.SlideUntil(narrow, s => s.HasMessage(a, "a2"), next.Pos);
        Assert.Equal(["a1", "a2"], last.Bodies(a));
        Assert.False(last[a].TryGetProperty("initial", out _));
    }

    [Fact]
    public async Task More_news_than_the_limit_is_a_limited_timeline_with_a_place_to_go_on_from()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "0");
        var first = await alice.SlideUntil(SlidingRequests.List(limit: 2), s => s.HasMessage(room, "0"));
        Assert.True(first[room].GetProperty("limited").GetBoolean());
        for (var i = 1; i <= 5; i++)
            await alice.Say(room, $"{i}");
        await alice.SetState(room, "m.room.name", new { name = "new" });
        await alice.Say(room, "6");
        await alice.Say(room, "7");
        var next = await alice.SlideUntil(SlidingRequests.List(limit: 2), s => s.HasMessage(room, "7"), first.Pos);
        Assert.Equal(["6", "7"], next.Bodies(room));
        Assert.True(next[room].GetProperty("limited").GetBoolean());
        Assert.Equal("new", next[room].String("name"));
        Assert.Contains("m.room.name", next.StateKeys(room));
        var earlier = await alice.Messages(room, next[room].String("prev_batch"), limit: 3);
        Assert.Equal(["5", "4"], earlier["chunk"].Items().Bodies());
    }

    [Fact]
    public async Task Filters_choose_what_is_in_a_list()
    {
        var (alice, bob) = (await server.NewUser(), await server.NewUser());
        var plain = await alice.CreateRoom();
        var secret = await alice.CreateRoom(new
        {
            initial_state = new[] { new { type = "m.room.encryption", state_key = "", content = new { algorithm = "m.megolm.v1.aes-sha2" } } },
        });
        var space = await alice.CreateRoom(new { creation_content = new { type = "m.space" } });
        await alice.SetState(space, "m.space.child", new { via = new[] { "x" } }, plain);
        await alice.SetState(space, "m.space.child", new { }, secret);
        var direct = await alice.CreateRoom();
        (await alice.Put($"/_matrix/client/v3/user/{alice.UserId}/account_data/m.direct", new Dictionary<string, string[]> { [bob.UserId] = [direct] })).Ok();
        (await alice.Put($"/_matrix/client/v3/user/{alice.UserId}/rooms/{ApiClient.Esc(plain)}/tags/m.favourite", new { order = 0.5 })).Ok();
        var invited = await bob.CreateRoom();
        await bob.Invite(invited, alice);
        await alice.SlideUntil(SlidingRequests.List(), s => s.Count("all") == 5);

        await Expect(new { is_dm = true }, direct);
        await Expect(new { is_dm = false }, plain, secret, space, invited);
        await Expect(new { is_encrypted = true }, secret);
        await Expect(new { is_encrypted = false }, plain, space, direct, invited);
        await Expect(new { is_invite = true }, invited);
        await Expect(new { is_invite = false }, plain, secret, space, direct);
        await Expect(new { room_types = new[] { "m.space" } }, space);
        await Expect(new { room_types = new string?[] { null } }, plain, secret, direct, invited);
        await Expect(new { not_room_types = new[] { "m.space" } }, plain, secret, direct, invited);
        await Expect(new { spaces = new[] { space } }, plain);
        await Expect(new { tags = new[] { "m.favourite" } }, plain);
        await Expect(new { not_tags = new[] { "m.favourite" } }, secret, space, direct, invited);
        await Expect(new { is_dm = false, is_encrypted = false, room_types = new string?[] { null } }, plain, invited);

        async Task Expect(object filters, params string[] rooms)
        {
            var reply = await alice.Slide(SlidingRequests.List(filters: filters));
            Assert.True(rooms.Order().SequenceEqual(reply.Rooms.Order()), $"{System.Text.Json.JsonSerializer.Serialize(filters)}: {reply}");
            Assert.Equal(rooms.Length, reply.Count("all"));
        }
    }

    [Fact]
    public async Task A_room_that_comes_to_match_a_filter_comes_into_its_list()
    {
        var (alice, room) = await server.UserInRoom();
        var other = await alice.CreateRoom();
        var body = SlidingRequests.List(filters: new { is_dm = true });
        var first = await alice.SlideUntil(SlidingRequests.List(), s => s.Room(other) is not null);
        first = await alice.Slide(body);
        Assert.Equal(0, first.Count("all"));
        (await alice.Put($"/_matrix/client/v3/user/{alice.UserId}/account_data/m.direct", new Dictionary<string, string[]> { ["@x:y"] = [room] })).Ok();
        var next = await alice.SlideUntil(body, s => s.Room(room) is not null, first.Pos);
        Assert.Equal([room], next.Rooms);
        Assert.True(next[room].GetProperty("is_dm").GetBoolean());
        (await alice.Put($"/_matrix/client/v3/user/{alice.UserId}/account_data/m.direct", new { })).Ok();
        Assert.Equal(0, (await alice.SlideUntil(body, s => s.Count("all") == 0, next.Pos)).Count("all"));
    }

    [Fact]
    public async Task Requests_that_make_no_sense_are_refused()
    {
        var alice = await server.NewUser();
        (await alice.TrySlide(SlidingRequests.List(ranges: [[5, 1]]))).Refused(400, "M_INVALID_PARAM");
        (await alice.TrySlide(SlidingRequests.List(ranges: [[-1, 1]]))).Refused(400, "M_INVALID_PARAM");
        (await alice.TrySlide(SlidingRequests.List(state: [["m.room.name"]]))).Refused(400, "M_BAD_JSON");
        (await alice.TrySlide(new { lists = 1 })).Refused(400, "M_BAD_JSON");
        (await alice.TrySlide(new { lists = Enumerable.Range(0, 101).ToDictionary(i => $"l{i}", _ => new { }) })).Refused(400, "M_INVALID_PARAM");
        (await alice.TrySlide(new { }, pos: "nonsense")).Refused(400, "M_UNKNOWN_POS");
        (await server.Anonymous.Post("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync")).Refused(401, "M_MISSING_TOKEN");
    }
}
