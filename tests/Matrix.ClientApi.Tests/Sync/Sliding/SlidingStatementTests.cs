namespace Matrix.ClientApi.Tests.Sync.Sliding;

/// <summary>What sliding sync asks of Postgres: on a server of its own, so that nobody else asks it anything.</summary>
public sealed class SlidingStatementTests : IAsyncLifetime
{
    static readonly object Body = SlidingRequests.List(limit: 1, extensions: new
    {
        to_device = new { enabled = true },
        e2ee = new { enabled = true },
        account_data = new { enabled = true },
        receipts = new { enabled = true },
        typing = new { enabled = true },
    });

    MatrixServer server = null!;
    string database = "";

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
    public async Task One_message_to_many_who_wait_is_fetched_once_and_nothing_is_written()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var devices = new List<User> { bob };
        for (var i = 0; i < 5; i++)
            devices.Add(await bob.NewDevice());
        var replies = await Task.WhenAll(devices.Select(device => device.SlideUntil(Body, s => s.Room(room)?.Find("membership")?.GetString() == "join")));
        replies = await Deliver("warm");
        using var counter = new StatementCounter(database);
        await Deliver("x");
        Assert.Single(counter.Statements, sql => sql.Contains("FROM events e JOIN rooms"));
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
    public async Task The_first_answer_costs_as_many_statements_for_twenty_rooms_as_for_two()
    {
        var alice = await server.NewUser();
        var rooms = new List<string>();
        var two = await Count(2);
        var twenty = await Count(20);
        Assert.True(twenty.Count <= two.Count + 2, string.Join('\n', two.Append("---").Concat(twenty)));

        async Task<IReadOnlyList<string>> Count(int wanted)
        {
            while (rooms.Count < wanted)
                rooms.Add(await alice.CreateRoom());
            await alice.Say(rooms[^1], $"{wanted}");
            await alice.SyncUntil(s => s.HasMessage(rooms[^1], $"{wanted}"));
            using var counter = new StatementCounter(database);
            Assert.Equal(wanted, (await alice.Slide(Body)).Rooms.Count);
            return counter.Statements;
        }
    }

    public async ValueTask InitializeAsync() => server = await MatrixServer.Start(configuration => database = configuration["database:args:database"]!);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    // As a client asks on: with the token of its messages.
    static object WithMessages(SlidingReply reply) => SlidingRequests.List(limit: 1, extensions: new
    {
        to_device = new { enabled = true, since = reply.Extension("to_device.next_batch")!.Value.GetString() },
        e2ee = new { enabled = true },
        account_data = new { enabled = true },
        receipts = new { enabled = true },
        typing = new { enabled = true },
    });
}
