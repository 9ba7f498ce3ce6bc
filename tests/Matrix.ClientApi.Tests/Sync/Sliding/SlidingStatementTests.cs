namespace Matrix.ClientApi.Tests.Sync.Sliding;

/// <summary>What sliding sync asks of Postgres: on a server of its own, so that nobody else asks it anything.</summary>
public sealed class SlidingStatementTests : IAsyncLifetime
{
    static readonly object Body = SlidingRequests.List(limit: 1, state: [["m.room.name", ""], ["m.room.member", "$LAZY"], ["m.space.child", "*"]],
        extensions: Extensions(new { enabled = true }));

    MatrixServer server = null!;
    string database = "";
    readonly Dictionary<string, string?> shared = [];

    [Fact]
    public async Task Without_news_postgres_is_asked_nothing()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "x");
        var first = await alice.SlideUntil(Body, s => s.HasMessage(room, "x"));
        var body = WithMessages(first);
        var pos = (await alice.Slide(body, first.Pos)).Pos;
        using var counter = new StatementCounter(database);
        for (var i = 0; i < 5; i++)
            pos = (await alice.Slide(body, pos, timeout: 20)).Pos;
        Assert.Empty(counter.Statements);
    }

    [Fact]
    public async Task One_message_to_many_who_wait_is_fetched_by_nobody_where_it_was_sent_and_nothing_is_written()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var devices = new List<User> { bob };
        for (var i = 0; i < 5; i++)
            devices.Add(await bob.NewDevice());
        var replies = await Task.WhenAll(devices.Select(device => device.SlideUntil(Body, s => s.Room(room)?.Find("membership")?.GetString() == "join")));
        replies = await Deliver("warm");
        using var counter = new StatementCounter(database);
        await Deliver("x");
        Assert.DoesNotContain(counter.Statements, sql => sql.Contains("FROM events e JOIN rooms"));
        Assert.DoesNotContain(counter.Statements, sql =>
            sql.Contains("sliding_connections") || sql.Contains("memberships m") || sql.Contains("FROM state_nodes") || sql.Contains("account_data") || sql.Contains("FROM receipts"));

        async Task<SlidingReply[]> Deliver(string body)
        {
            var waiting = devices.Zip(replies, (device, reply) => device.SlideUntil(WithMessages(reply), s => s.HasMessage(room, body), reply.Pos)).ToList();
            await alice.Say(room, body);
            return await Task.WhenAll(waiting);
        }
    }

    [Fact]
    public async Task The_first_answer_of_a_cold_process_costs_as_many_statements_for_twenty_rooms_as_for_two()
    {
        var (few, many) = (await NewUser(2), await NewUser(20));
        await using var cold = await MatrixServer.Start(configuration =>
        {
            foreach (var (key, value) in shared)
                configuration[key] = value;
        });
        var two = await Count(few, 2);
        var twenty = await Count(many, 20);
        // a deeper level of a state, and a page of events more than are fetched one by one
        Assert.True(twenty.Count <= two.Count + 4, string.Join("\n---\n", two.Append("===").Concat(twenty)));

        async Task<IReadOnlyList<string>> Count(User user, int wanted)
        {
            using var counter = new StatementCounter(database);
            Assert.Equal(wanted, (await cold.Here(user).Slide(Body)).Rooms.Count);
            return counter.Statements;
        }

        async Task<User> NewUser(int rooms)
        {
            var user = await server.NewUser();
            for (var i = 0; i < rooms; i++)
                await user.Say(await user.CreateRoom(new { name = $"room {i}" }), "x");
            return user;
        }
    }

    public async ValueTask InitializeAsync() => server = await MatrixServer.Start(configuration =>
    {
        database = configuration["database:args:database"]!;
        foreach (var key in new[] { "database:args:database", "signing_key_path", "media_store_path" })
            shared[key] = configuration[key];
    });

    public ValueTask DisposeAsync() => server.DisposeAsync();

    // As a client asks on: with the token of its messages.
    static object WithMessages(SlidingReply reply) => SlidingRequests.List(
        limit: 1, extensions: Extensions(new { enabled = true, since = reply.Extension("to_device.next_batch")!.Value.GetString() }));

    static Dictionary<string, object> Extensions(object toDevice) => new()
    {
        ["to_device"] = toDevice,
        ["e2ee"] = new { enabled = true },
        ["account_data"] = new { enabled = true },
        ["receipts"] = new { enabled = true },
        ["typing"] = new { enabled = true },
        ["io.element.msc4308.thread_subscriptions"] = new { enabled = true },
    };
}
