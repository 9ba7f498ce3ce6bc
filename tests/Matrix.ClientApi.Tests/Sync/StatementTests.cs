namespace Matrix.ClientApi.Tests.Sync;

/// <summary>What a sync asks of Postgres: on a server of its own, so that nobody else asks it anything.</summary>
public sealed class StatementTests : IAsyncLifetime
{
    MatrixServer server = null!;
    string database = "";

    [Fact]
    public async Task A_sync_without_news_asks_postgres_nothing()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "x");
        var since = (await alice.SyncUntil(sync => sync.HasMessage(room, "x"))).NextBatch;
        await alice.Sync(since);
        using var counter = new StatementCounter(database);
        for (var i = 0; i < 5; i++)
            await alice.Sync(since, timeout: 20);
        Assert.Empty(counter.Statements);
    }

    [Fact]
    public async Task One_message_to_many_who_wait_is_fetched_by_nobody_where_it_was_sent()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var devices = new List<User> { bob };
        for (var i = 0; i < 9; i++)
            devices.Add(await bob.NewDevice());
        var since = (await bob.SyncUntil(sync => sync.Joined(room) is not null)).NextBatch;
        // a first message warms up what is read once for the room
        await Deliver("warm");
        using var counter = new StatementCounter(database);
        await Deliver("x");
        Assert.DoesNotContain(counter.Statements, sql => sql.Contains("FROM events e JOIN rooms"));
        Assert.DoesNotContain(counter.Statements, sql => sql.Contains("memberships m") || sql.Contains("FROM state_nodes") || sql.Contains("account_data"));
        Assert.DoesNotContain(counter.Statements, sql => sql.Contains("FROM room_reads r"));

        counter.Clear();
        var again = await Task.WhenAll(devices.Select(device => device.Sync(since)));
        Assert.All(again, sync => Assert.True(sync.HasMessage(room, "x")));
        Assert.Empty(counter.Statements);

        async Task Deliver(string body)
        {
            var waiting = devices.Select(device => device.SyncUntil(sync => sync.HasMessage(room, body), since)).ToList();
            await alice.Say(room, body);
            await Task.WhenAll(waiting);
        }
    }

    [Fact]
    public async Task A_receipt_of_somebody_who_syncs_here_is_one_round_trip()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var since = (await bob.Sync()).NextBatch;
        await alice.Say(room, "warm");
        var sent = await alice.Say(room, "x");
        await bob.SyncUntil(sync => sync.HasMessage(room, "x"), since);
        var path = $"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/m.read/{ApiClient.Esc(sent.EventId)}";
        using var counter = new StatementCounter(database);
        (await bob.Post(path, new { thread_id = "main" })).Ok();
        Assert.Single(counter.Statements);
        (await bob.Post(path, new { thread_id = "main" })).Ok();
        Assert.Single(counter.Statements);
    }

    [Fact]
    public async Task The_counter_counts()
    {
        var alice = await server.NewUser();
        using var counter = new StatementCounter(database);
        await alice.Sync();
        Assert.NotEmpty(counter.Statements);
    }

    public async ValueTask InitializeAsync() => server = await MatrixServer.Start(configuration => database = configuration["database:args:database"]!);

    public ValueTask DisposeAsync() => server.DisposeAsync();
}
