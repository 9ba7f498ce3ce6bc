namespace Matrix.Load.Scenarios;

/// <summary>Messages, with nobody syncing.</summary>
static class Sending
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("send-one", "one sender, a room of 10", async (crowd, ct) =>
        {
            var users = await crowd.Users(crowd.Size(10), ct);
            return Senders(crowd, [users[0]], [await crowd.Room(users, ct)]);
        }),
        new("send", "8 senders in 4 rooms of 10", async (crowd, ct) =>
        {
            var users = await crowd.Users(crowd.Size(10), ct);
            var rooms = new string[4];
            for (var i = 0; i < rooms.Length; i++) rooms[i] = await crowd.Room(users, ct);
            return Senders(crowd, [.. users.Take(8)], rooms);
        }),
        InRoom("send-2", 2),
        InRoom("send-50", 50),
        InRoom("send-1000", 1000),
    ];

    static Scenario InRoom(string name, int members) => new(name, $"one sender, a room of {members}", async (crowd, ct) =>
    {
        var room = await crowd.GrownRoom(crowd.Size(members, 4), [], ct);
        return Senders(crowd, [(await crowd.Users(1, ct))[0]], [room.Id]);
    });

    static Func<Measurement, Task> Senders(Crowd crowd, IReadOnlyList<User> senders, IReadOnlyList<string> rooms) => measure =>
        measure.Closed(senders.Count, (number, worker) => crowd.Client.Send(senders[worker], rooms[worker % rooms.Count], $"message {number}", measure.Stop));
}
