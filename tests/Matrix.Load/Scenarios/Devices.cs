namespace Matrix.Load.Scenarios;

/// <summary>Accounts, and what passes between devices beside the rooms' events.</summary>
static class Devices
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("register-login", "an account by shared secret, and a login", (crowd, _) => Task.FromResult<Func<Measurement, Task>>(measure =>
            measure.Closed(2, async (_, _) => await crowd.Client.Login(await crowd.Client.Register(crowd.NewName(), "load-password", measure.Stop), measure.Stop)))),
        new("receipt", "a read receipt", Receipts),
        new("typing", "typing begins or ends", async (crowd, ct) =>
        {
            var users = await crowd.Users(crowd.Size(10), ct);
            var room = await crowd.Room(users, ct);
            return measure => measure.Closed(2, (number, _) =>
                crowd.Client.Typing(users[number % users.Count], room, number / users.Count % 2 == 0, measure.Stop));
        }),
        new("to-device", "a message to 50 devices", async (crowd, ct) =>
        {
            var users = await crowd.Users(crowd.Size(51), ct);
            return measure => measure.Closed(2, (_, _) => crowd.Client.SendToDevices(users[0], users.Skip(1), measure.Stop));
        }),
        new("keys-query", "the keys of 50 users", async (crowd, ct) =>
        {
            var users = await crowd.Users(crowd.Size(51), ct);
            foreach (var user in users) await crowd.Client.UploadKeys(user, 1, ct);
            return measure => measure.Closed(2, (_, _) => crowd.Client.QueryKeys(users[0], users.Skip(1), measure.Stop));
        }),
        new("keys-claim", "a one-time key of a device", async (crowd, ct) =>
        {
            var users = await crowd.Users(crowd.Size(50), ct);
            foreach (var user in users) await crowd.Client.UploadKeys(user, crowd.Size(100), ct);
            return measure => measure.Closed(2, (number, _) => crowd.Client.ClaimKey(users[0], users[number % users.Count], measure.Stop));
        }),
    ];

    /// <summary>Each receipt moves forward: every account goes through the messages in order.</summary>
    static async Task<Func<Measurement, Task>> Receipts(Crowd crowd, CancellationToken ct)
    {
        var users = await crowd.Users(crowd.Size(20), ct);
        var room = await crowd.Room(users, ct);
        return async measure =>
        {
            var events = new string[crowd.Size(100)];
            for (var i = 0; i < events.Length; i++) events[i] = await crowd.Client.Send(users[0], room, "to be read", measure.Stop);
            await measure.Closed(2, (number, _) => crowd.Client.Receipt(users[number % users.Count], room, events[number / users.Count], measure.Stop),
                most: users.Count * events.Length);
        };
    }
}
