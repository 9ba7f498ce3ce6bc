namespace Matrix.Load.Scenarios;

/// <summary>Simplified sliding sync, asked as Element X asks.</summary>
static class SlidingSync
{
    static int connection;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("sliding-initial", "a new connection, 10 rooms of 50 messages, the newest 20 of each", Initial),
        new("sliding-one", "incremental, one message", One),
    ];

    const string Asked = """
        "lists":{"all":{"ranges":[[0,19]],"timeline_limit":20,"required_state":[["m.room.name",""],["m.room.encryption",""],
        ["m.room.member","$LAZY"],["m.room.member","$ME"],["m.room.topic",""],["m.room.canonical_alias",""],["m.room.power_levels",""],
        ["m.room.create",""],["m.room.tombstone",""]]}},"extensions":{"to_device":{"enabled":true},"e2ee":{"enabled":true},
        "account_data":{"enabled":true},"receipts":{"enabled":true,"rooms":["*"]},"typing":{"enabled":true}}
        """;

    static string Body(string connectionId) => $"{{\"conn_id\":\"{connectionId}\",{Asked}}}";

    static string NewConnection() => $"load{Interlocked.Increment(ref connection)}";

    static async Task<Func<Measurement, Task>> Initial(Crowd crowd, CancellationToken ct)
    {
        var users = await Rooms.Conversation(crowd, crowd.Size(10), crowd.Size(10, 2), crowd.Size(50), ct);
        await crowd.Client.SlidingSync(users[0], null, Body(NewConnection()), ct);
        return measure => measure.Closed(2, (number, _) =>
            crowd.Client.SlidingSync(users[number % users.Count], null, Body(NewConnection()), measure.Stop));
    }

    static async Task<Func<Measurement, Task>> One(Crowd crowd, CancellationToken ct)
    {
        var users = await crowd.NewUsers(crowd.Size(50), ct);
        var room = await crowd.Room(users, ct);
        return async measure =>
        {
            var body = Body(NewConnection());
            var positions = new string?[users.Count];
            for (var round = 0; round < 2; round++)
            {
                await Crowd.Each(users.Count, async i =>
                    positions[i] = HomeserverClient.Text(await crowd.Client.SlidingSync(users[i], positions[i], body, measure.Stop), "pos"));
                await crowd.Client.Target.Settle(measure.Stop);
            }
            await crowd.Client.Send(users[0], room, "news", measure.Stop);
            // one worker for each account: two requests of one connection at once are not what a client does
            await measure.Closed(4, (number, _) =>
                crowd.Client.SlidingSync(users[number % users.Count], positions[number % users.Count], body, measure.Stop));
        };
    }
}
