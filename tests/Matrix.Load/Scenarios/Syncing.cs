namespace Matrix.Load.Scenarios;

/// <summary>
/// Answers of /sync that need no waiting. A server may remember an answer for a client that asks the same again, so each question differs
/// in its timeout, which plays no part when there is something to answer.
/// </summary>
static class Syncing
{
    const string Lazy = """{"room":{"timeline":{"limit":50},"state":{"lazy_load_members":true}}}""";
    const string Eager = """{"room":{"timeline":{"limit":50}}}""";
    const int Workers = 4;
    static int timeout;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("sync-initial-lazy", "10 rooms of 10 members, 50 messages each, lazy", (crowd, ct) => Initial(crowd, 10, 10, 50, Lazy, ct)),
        new("sync-initial", "the same, not lazy", (crowd, ct) => Initial(crowd, 10, 10, 50, Eager, ct)),
        new("sync-initial-300-lazy", "300 rooms of 5 messages, lazy", (crowd, ct) => Initial(crowd, 300, 2, 5, Lazy, ct)),
        new("sync-initial-300", "the same, not lazy", (crowd, ct) => Initial(crowd, 300, 2, 5, Eager, ct)),
        new("sync-idle", "incremental, nothing new", Idle),
        new("sync-one", "incremental, one message", One),
        new("sync-first-1000", "a first sync, 1,000 users at once", Storm) { IsLong = true },
    ];

    /// <summary>Beyond any timeout that a person sets; never the same twice.</summary>
    public static int NewTimeout() => 10_000 + Interlocked.Increment(ref timeout);

    static async Task<Func<Measurement, Task>> Initial(Crowd crowd, int rooms, int members, int messages, string filter, CancellationToken ct)
    {
        var users = await Rooms.Conversation(crowd, crowd.Size(rooms), crowd.Size(members, 2), crowd.Size(messages), ct);
        return measure => measure.Closed(2, (number, _) =>
            crowd.Client.Sync(users[number % users.Count], null, NewTimeout(), filter, measure.Stop));
    }

    static async Task<Func<Measurement, Task>> Idle(Crowd crowd, CancellationToken ct)
    {
        var (users, _) = await Members(crowd, ct);
        return async measure =>
        {
            var since = await Tokens(crowd, users, measure.Stop);
            // each goes on from its last answer, as clients do
            await measure.Closed(Workers, async (number, _) =>
            {
                var i = number % users.Count;
                since[i] = HomeserverClient.Text(await crowd.Client.Sync(users[i], since[i], 0, Lazy, measure.Stop), "next_batch");
            });
        };
    }

    static async Task<Func<Measurement, Task>> One(Crowd crowd, CancellationToken ct)
    {
        var (users, room) = await Members(crowd, ct);
        return async measure =>
        {
            var since = await Tokens(crowd, users, measure.Stop);
            await crowd.Client.Send(users[0], room, "news", measure.Stop);
            await measure.Closed(Workers, (number, _) =>
                crowd.Client.Sync(users[number % users.Count], since[number % users.Count], NewTimeout(), Lazy, measure.Stop));
        };
    }

    /// <summary>All begin at the same moment, as after an outage; once. What is refused is counted, and has to say when to come back.</summary>
    static async Task<Func<Measurement, Task>> Storm(Crowd crowd, CancellationToken ct)
    {
        var users = await crowd.NewUsers(crowd.Size(1000), ct);
        foreach (var members in users.Chunk(20))
        {
            for (var room = 0; room < 3; room++)
                await crowd.Room(members, ct);
        }
        return async measure =>
        {
            await measure.Begin();
            var refused = 0;
            await Task.WhenAll(users.Select(user => measure.Timed(async () =>
            {
                try
                {
                    await crowd.Client.Sync(user, null, NewTimeout(), Lazy, measure.Stop);
                }
                catch (LoadException e)
                {
                    if (Interlocked.Increment(ref refused) == 1)
                        Console.WriteLine($"  {e.Message}");
                }
            })));
            measure.End();
            Console.WriteLine($"  {users.Count} at once, {refused} refused");
        };
    }

    static async Task<(IReadOnlyList<User> Users, string Room)> Members(Crowd crowd, CancellationToken ct)
    {
        var users = await crowd.NewUsers(crowd.Size(50), ct);
        return (users, await crowd.Room(users, ct));
    }

    /// <summary>Where each stands once all have told that they are there.</summary>
    static async Task<string[]> Tokens(Crowd crowd, IReadOnlyList<User> users, CancellationToken ct)
    {
        var since = new string[users.Count];
        for (var round = 0; round < 2; round++)
        {
            await Crowd.Each(users.Count, async i =>
                since[i] = HomeserverClient.Text(await crowd.Client.Sync(users[i], since[i], 0, Lazy, ct), "next_batch"));
            await crowd.Client.Target.Settle(ct);
        }
        return since;
    }
}
