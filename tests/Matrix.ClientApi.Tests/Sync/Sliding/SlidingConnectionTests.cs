namespace Matrix.ClientApi.Tests.Sync.Sliding;

public sealed class SlidingConnectionTests(MatrixServer server)
{
    [Fact]
    public async Task A_request_that_is_repeated_gets_its_answer_again()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "0");
        var body = SlidingRequests.List(limit: 5);
        var first = await alice.SlideUntil(body, s => s.HasMessage(room, "0"));
        await alice.Say(room, "1");
        var second = await alice.SlideUntil(body, s => s.HasMessage(room, "1"), first.Pos);
        var other = await alice.CreateRoom();
        var third = await alice.SlideUntil(body, s => s.Room(other) is not null, second.Pos);
        var again = await alice.Slide(body, second.Pos);
        Assert.Equal(third.Rooms, again.Rooms);
        Assert.True(again[other].GetProperty("initial").GetBoolean());
        Assert.True((await alice.Slide(body, again.Pos)).IsEmpty);
        // the answer that was given up is no place to go on from once another one was taken up
        await alice.CreateRoom();
        await alice.SlideUntil(body, s => !s.IsEmpty, again.Pos);
    }

    [Fact]
    public async Task An_older_pos_that_says_the_same_of_the_connection_brings_what_came_since()
    {
        var (alice, room) = await server.UserInRoom();
        var body = SlidingRequests.List(limit: 5);
        var old = (await alice.SlideUntil(body, s => s.Room(room) is not null)).Pos;
        var pos = old;
        foreach (var text in new[] { "1", "2" })
        {
            await alice.Say(room, text);
            pos = (await alice.SlideUntil(body, s => s.HasMessage(room, text), pos)).Pos;
        }
        Assert.Equal(["1", "2"], (await alice.Slide(body, old)).Bodies(room));
    }

    [Fact]
    public async Task An_unknown_pos_is_refused_and_so_is_anothers()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var body = SlidingRequests.List();
        var first = await alice.SlideUntil(body, s => s.Room(room) is not null);
        (await alice.TrySlide(body, "s1_vffff")).Refused(400, "M_UNKNOWN_POS");
        (await alice.TrySlide(body, "s999999999999_" + first.Pos.Split('_')[1])).Refused(400, "M_UNKNOWN_POS");
        (await bob.TrySlide(body, first.Pos)).Refused(400, "M_UNKNOWN_POS");
        (await (await alice.NewDevice()).TrySlide(body, first.Pos)).Refused(400, "M_UNKNOWN_POS");
        (await alice.TrySlide(SlidingRequests.List(connId: "other"), first.Pos)).Refused(400, "M_UNKNOWN_POS");
        await alice.Slide(body, first.Pos);
    }

    [Fact]
    public async Task Connections_of_a_device_do_not_know_of_each_other()
    {
        var (alice, room) = await server.UserInRoom();
        var first = await alice.SlideUntil(SlidingRequests.List(connId: "a"), s => s.Room(room) is not null);
        var other = await alice.Slide(SlidingRequests.List(connId: "b"));
        Assert.Equal([room], other.Rooms);
        Assert.True((await alice.Slide(SlidingRequests.List(connId: "a"), first.Pos)).IsEmpty);
        Assert.True((await alice.Slide(SlidingRequests.List(connId: "b"), other.Pos)).IsEmpty);
    }

    [Fact]
    public async Task A_device_has_a_limited_number_of_connections()
    {
        var (alice, room) = await server.UserInRoom();
        var old = await alice.SlideUntil(SlidingRequests.List(connId: "old"), s => s.Room(room) is not null);
        for (var i = 0; i < 12; i++)
            await alice.Slide(SlidingRequests.List(connId: $"c{i}"));
        var used = await alice.Slide(SlidingRequests.List(connId: "c11"));
        await alice.Slide(SlidingRequests.List(connId: "c11"), used.Pos);
        // what is not written is not noticed at once: the next write is
        await alice.CreateRoom();
        var began = TimeProvider.System.GetTimestamp();
        while ((await alice.TrySlide(SlidingRequests.List(connId: "old"), old.Pos)).Errcode != "M_UNKNOWN_POS")
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_pos_is_good_as_a_token_of_history()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "x");
        var reply = await alice.SlideUntil(SlidingRequests.List(), s => s.HasMessage(room, "x"));
        Assert.Equal(["x"], (await alice.Messages(room, reply.Pos))["chunk"].Items().Bodies());
    }

    [Fact]
    public async Task An_answer_without_news_comes_when_time_is_up()
    {
        var (alice, room) = await server.UserInRoom();
        var first = await alice.SlideUntil(SlidingRequests.List(), s => s.Room(room) is not null);
        var began = TimeProvider.System.GetTimestamp();
        Assert.True((await alice.Slide(SlidingRequests.List(), first.Pos, 400)).IsEmpty);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds, 390, 30_000);
    }

    [Fact]
    public async Task The_form_of_the_proposal_is_served_too()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.SetState(room, "org.example.a", new { }, "1");
        await alice.SyncUntil(s => s.Timeline(room).Any(e => e.String("type") == "org.example.a"));
        var lists = new
        {
            all = new
            {
                range = new[] { 0, 9 },
                timeline_limit = 1,
                required_state = new { include = new[] { new { type = "org.example.a" } }, exclude = new[] { new { state_key = "2" } } },
            },
        };
        var first = new SlidingReply((await alice.Post("/_matrix/client/v4/sync", new { conn_id = "m", lists })).Ok());
        Assert.Equal(["org.example.a 1"], first.StateKeys(room));
        await alice.SetState(room, "org.example.a", new { }, "2");
        await alice.Say(room, "x");
        await alice.SyncUntil(s => s.HasMessage(room, "x"));
        var next = new SlidingReply((await alice.Post("/_matrix/client/v4/sync", new { conn_id = "m", lists, pos = first.Pos, timeout = 5000 })).Ok());
        Assert.Equal(["x"], next.Bodies(room));
        Assert.Empty(next.State(room));
        var more = new { range = new[] { 0, 9 }, timeline_limit = 3, required_state = new { } };
        var expanded = new SlidingReply((await alice.Post("/_matrix/client/v4/sync", new { conn_id = "m", lists = new { all = more }, pos = next.Pos })).Ok());
        Assert.True(expanded[room].GetProperty("expanded_timeline").GetBoolean());
    }
}
