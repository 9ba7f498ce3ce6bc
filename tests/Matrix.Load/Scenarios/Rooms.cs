namespace Matrix.Load.Scenarios;

/// <summary>Rooms come to be, fill up, are read back, and change with their members' names.</summary>
static class Rooms
{
    static int names;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("create-room", "a room with 3 invites", async (crowd, ct) =>
        {
            var users = await crowd.Users(crowd.Size(20, 5), ct);
            return measure => measure.Closed(2, (number, _) => crowd.Client.CreateRoom(
                users[number % users.Count], measure.Stop, invite: Enumerable.Range(1, 3).Select(i => users[(number + i) % users.Count])));
        }),
        Joins("join-100", 100, rooms: 5, each: 100),
        Joins("join-2000", 2000, rooms: 1, each: 500),
        new("messages", "a page of 50 messages", async (crowd, ct) =>
        {
            var users = await Conversation(crowd, 1, 2, crowd.Size(200), ct);
            var room = await Room(crowd, users[0], ct);
            return measure => measure.Closed(2, (_, _) => crowd.Client.Messages(users[0], room, 50, measure.Stop));
        }),
        new("display-name", "a new display name, for each of its 100 rooms, until all show it", DisplayName),
    ];

    static async Task<Func<Measurement, Task>> DisplayName(Crowd crowd, CancellationToken ct)
    {
        var rooms = new string[crowd.Size(100)];
        var user = (await crowd.NewUsers(1, ct))[0];
        await Crowd.Each(rooms.Length, async i => rooms[i] = await crowd.Client.CreateRoom(user, ct));
        return async measure =>
        {
            await measure.Begin();
            var until = TimeProvider.System.GetUtcNow() + measure.Duration;
            do
            {
                var name = $"Name {Interlocked.Increment(ref names)}";
                await measure.Timed(async () =>
                {
                    await crowd.Client.SetDisplayName(user, name, measure.Stop);
                    // a server may change the rooms after it has answered; then asking is part of the cost, once or a little more for each room
                    foreach (var room in rooms)
                        while (!await crowd.Client.Shows(user, room, name, measure.Stop)) await Task.Delay(200, measure.Stop);
                }, rooms.Length);
            } while (TimeProvider.System.GetUtcNow() < until);
            measure.End();
        };
    }

    static readonly Dictionary<(Crowd, int, int, int), IReadOnlyList<User>> conversations = [];

    /// <summary>Accounts that have talked with each other in so many rooms; the first of them sends.</summary>
    public static async Task<IReadOnlyList<User>> Conversation(Crowd crowd, int rooms, int members, int messages, CancellationToken ct)
    {
        if (conversations.TryGetValue((crowd, rooms, members, messages), out var known)) return known;
        var users = await crowd.NewUsers(members, ct);
        await Crowd.Each(rooms, async _ =>
        {
            var room = await crowd.Client.CreateRoom(users[0], ct, isPublic: true);
            foreach (var user in users.Skip(1)) await crowd.Client.Join(user, room, ct);
            for (var i = 0; i < messages; i++) await crowd.Client.Send(users[i % members], room, $"message {i}", ct);
        });
        return conversations[(crowd, rooms, members, messages)] = users;
    }

    static async Task<string> Room(Crowd crowd, User user, CancellationToken ct)
    {
        using var rooms = System.Text.Json.JsonDocument.Parse(await crowd.Client.Get(user, "_matrix/client/v3/joined_rooms", ct));
        return rooms.RootElement.GetProperty("joined_rooms")[0].GetString()!;
    }

    /// <summary>
    /// One after the other, so many into each room: a hundred alone are too few to tell two sizes apart. A room that has grown too much over the repeats is
    /// left for a new one.
    /// </summary>
    static Scenario Joins(string name, int members, int rooms, int each) => new(name, $"joins, one after the other, into a public room of {members}", (crowd, ct) =>
        Task.FromResult<Func<Measurement, Task>>(async measure =>
        {
            var most = crowd.Size(each, 2);
            var grown = new List<GrowingRoom>();
            while (grown.Count < crowd.Size(rooms, 2))
                grown.Add(await crowd.GrownRoom(crowd.Size(members, 4), grown, measure.Stop));
            var users = await crowd.Users(grown.Max(room => room.Members) + most, measure.Stop);
            await measure.Closed(1, (number, _) => grown[number / most].JoinNext(users, measure.Stop), most * grown.Count);
        }));
}
