namespace Matrix.ClientApi.Tests.Sync.Sliding;

/// <summary>Two servers that share a database, and hear of each other through it alone.</summary>
public sealed class TwoReplicas : IAsyncLifetime
{
    public MatrixServer First { get; private set; } = null!;

    public MatrixServer Second { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var shared = new Dictionary<string, string?>();
        First = await MatrixServer.Start(configuration =>
        {
            foreach (var key in new[] { "database:args:database", "signing_key_path", "media_store_path" })
                shared[key] = configuration[key];
        });
        Second = await MatrixServer.Start(configuration =>
        {
            foreach (var (key, value) in shared)
                configuration[key] = value;
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Second.DisposeAsync();
        await First.DisposeAsync();
    }
}

/// <summary>
/// A client that goes from one replica to the other, loses answers and changes what it asks for, in rooms in which much happens: in the end it knows what the
/// server knows.
/// </summary>
public sealed class SlidingConvergenceTests(TwoReplicas replicas) : IClassFixture<TwoReplicas>
{
    static readonly string[][] Everything = [["*", "*"]];

    readonly MatrixServer first = replicas.First;
    readonly MatrixServer second = replicas.Second;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whatever_is_lost_on_the_way_the_client_ends_up_knowing_what_there_is(int seed)
    {
        var random = new Random(seed);
        var me = await first.NewUser();
        var others = new[] { await first.NewUser(), await first.NewUser() };
        var rooms = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            rooms.Add(await others[0].CreateRoom(new { preset = "public_chat", name = $"room {i}" }));
            await me.Join(rooms[i]);
            await others[1].Join(rooms[i]);
        }
        var model = new SlidingModel();
        for (var round = 0; round < 20; round++)
        {
            for (var i = random.Next(6); i > 0; i--)
                await Happen(random, me, others, rooms[random.Next(rooms.Count)]);
            var reply = await Slide(random.Next(2) == 0 ? first.Here(me) : second.Here(me), model, random.Next(5), 1 + random.Next(4));
            // one answer in four gets lost
            if (random.Next(4) > 0)
                model.Apply(reply);
        }
        await Settle(model, me);
        foreach (var room in rooms)
            await Compare(model.Rooms[room], me, room);
    }

    [Fact]
    public async Task Another_replica_goes_on_where_one_died()
    {
        var (alice, bob, room) = await first.TwoUsersInRoom();
        var quiet = await alice.CreateRoom();
        var body = SlidingRequests.List(limit: 5);
        var reply = await alice.SlideUntil(body, s => s.Room(room) is not null && s.Room(quiet) is not null);
        await bob.Say(room, "x");
        var next = await second.Here(alice).SlideUntil(body, s => s.HasMessage(room, "x"), reply.Pos);
        Assert.Equal([room], next.Rooms);
        Assert.False(next[room].TryGetProperty("initial", out _));
        var fresh = await alice.CreateRoom();
        var last = await second.Here(alice).SlideUntil(body, s => s.Room(fresh) is not null, next.Pos);
        Assert.True((await first.Here(alice).Slide(body, last.Pos)).IsEmpty);
    }

    [Fact]
    public async Task Who_left_while_no_replica_remembered_the_client_is_told()
    {
        var (alice, bob, room) = await first.TwoUsersInRoom();
        var reply = await bob.SlideUntil(SlidingRequests.List(), s => s.Room(room)?.Find("membership")?.GetString() == "join");
        await bob.Leave(room);
        await alice.Say(room, "x");
        var left = await second.Here(bob).SlideUntil(SlidingRequests.List(), s => s.Room(room) is not null, reply.Pos);
        Assert.Equal("leave", left[room].String("membership"));
        Assert.True((await second.Here(bob).Slide(SlidingRequests.List(), left.Pos)).IsEmpty);
        Assert.True((await first.Here(bob).Slide(SlidingRequests.List(), left.Pos)).IsEmpty);
    }

    static async Task<SlidingReply> Slide(User me, SlidingModel model, int to, int limit, object? subscriptions = null)
    {
        var reply = await me.TrySlide(SlidingRequests.List(to, limit, state: Everything, subscriptions: subscriptions), model.Pos);
        if (reply.Errcode == "M_UNKNOWN_POS")
        {
            // an answer that was lost had been gone on from
            model.Restart();
            reply = await me.TrySlide(SlidingRequests.List(to, limit, state: Everything, subscriptions: subscriptions));
        }
        return new SlidingReply(reply.Ok());
    }

    static async Task Happen(Random random, User me, User[] others, string room)
    {
        var other = others[random.Next(2)];
        switch (random.Next(10))
        {
            case 0:
                await others[0].SetState(room, "m.room.name", new { name = $"name {random.Next()}" });
                break;
            case 1:
                await others[0].SetState(room, "org.example.state", new { v = random.Next() }, $"{random.Next(3)}");
                break;
            case 2:
                (await others[1].Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/leave")).Ok();
                break;
            case 3:
                await others[1].Join(room);
                break;
            case 4:
                await me.Leave(room);
                await me.Join(room);
                break;
            case 5:
                await me.Join(room);
                await me.Say(room, "me");
                break;
            default:
                await others[0].Say(room, $"{other.UserId}");
                break;
        }
    }

    async Task Settle(SlidingModel model, User me)
    {
        // both replicas have heard of everything once a token of the newest event is good on them
        var last = await me.CreateRoom();
        for (var calm = 0; calm < 2;)
        {
            var reply = await Slide(first.Here(me), model, 100, 3);
            model.Apply(reply);
            calm = reply.IsEmpty && model.Rooms.ContainsKey(last) ? calm + 1 : 0;
        }
    }

    static async Task Compare(SlidingModel.ModelRoom room, User me, string id)
    {
        var state = (await me.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(id)}/state")).Ok().Json.Items();
        Assert.Equal("join", room.Membership);
        Assert.Equal(
            state.Select(e => $"{e.String("type")} {e.String("state_key")} {e.String("event_id")}").Order(StringComparer.Ordinal),
            room.State.Select(entry => $"{entry.Key} {entry.Value}").Order(StringComparer.Ordinal));
        Assert.Equal(state.Single(e => e.String("type") == "m.room.name").String("content.name"), room.Name);
        Assert.Equal(state.Count(e => e.String("type") == "m.room.member" && e.String("content.membership") == "join"), room.Joined);
        Assert.Equal(state.Count(e => e.String("type") == "m.room.member" && e.String("content.membership") == "invite"), room.Invited);
        var history = (await me.Messages(id, limit: 100))["chunk"].Items().Select(e => e.String("event_id")).Reverse().ToList();
        Assert.Equal(history.TakeLast(Math.Min(room.Timeline.Count, history.Count)), room.Timeline.TakeLast(history.Count));
    }
}
