namespace Matrix.Load.Scenarios;

/// <summary>From a message being sent to each member having it. One operation is one message at one member; sending is part of it.</summary>
static class Delivery
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("deliver", "40 long-polling members, 2 messages/s", (crowd, ct) => Steady(crowd, 40, 2, ct)),
        new("deliver-burst", "40 long-polling members, bursts of 20 messages", Bursts),
        new("fan-out", "200 long-polling members, 2 messages/s", (crowd, ct) => Steady(crowd, 200, 2, ct)),
    ];

    static async Task<Func<Measurement, Task>> Steady(Crowd crowd, int members, double perSecond, CancellationToken ct)
    {
        var (users, room, pollers) = await Gather(crowd, members, ct);
        return measure => pollers.While(measure, async () =>
        {
            var messages = Math.Max(2, (int)(measure.Duration.TotalSeconds * perSecond));
            await measure.Begin();
            using var beat = new PeriodicTimer(TimeSpan.FromSeconds(1 / perSecond));
            var sending = new List<Task>();
            for (var i = 0; i < messages; i++)
            {
                sending.Add(crowd.Client.Send(users[0], room, LongPollers.Text(), measure.Stop));
                await beat.WaitForNextTickAsync(measure.Stop);
            }
            await Task.WhenAll(sending);
            await pollers.WaitDelivered((long)messages * users.Count, measure.Stop);
            measure.End();
        });
    }

    static async Task<Func<Measurement, Task>> Bursts(Crowd crowd, CancellationToken ct)
    {
        var (users, room, pollers) = await Gather(crowd, 40, ct);
        return measure => pollers.While(measure, async () =>
        {
            const int burst = 20;
            await measure.Begin();
            var bursts = Math.Max(1, (int)(measure.Duration.TotalSeconds / 2));
            for (var i = 1; i <= bursts; i++)
            {
                await Task.WhenAll(Enumerable.Range(0, burst).Select(_ => crowd.Client.Send(users[0], room, LongPollers.Text(), measure.Stop)));
                await pollers.WaitDelivered((long)i * burst * users.Count, measure.Stop);
            }
            measure.End();
        });
    }

    static async Task<(IReadOnlyList<User> Users, string Room, LongPollers Pollers)> Gather(Crowd crowd, int members, CancellationToken ct)
    {
        var users = await crowd.NewUsers(crowd.Size(members), ct);
        return (users, await crowd.Room(users, ct), new(crowd.Client, users));
    }
}
