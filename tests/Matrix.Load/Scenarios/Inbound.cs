using System.Diagnostics;
using Matrix.Protocol;

namespace Matrix.Load.Scenarios;

/// <summary>Another homeserver sends events, 50 at once, and the next when the last of them is shown to clients. One operation is one event.</summary>
static class Inbound
{
    const int InTransaction = 50;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        In("inbound-1", "an event of another server, 50 at once, all in one room", 1),
        In("inbound-100", "the same in 100 rooms", 100),
        In("inbound-1000", "the same in 1,000 rooms", 1000),
    ];

    static Scenario In(string name, string operation, int count) => new(name, operation, async (crowd, ct) =>
    {
        var peer = await Peer.Start(ct);
        var owner = (await crowd.Users(1, ct))[0];
        var rooms = new PeerRoom[crowd.Size(count)];
        await Crowd.Each(rooms.Length, async i => rooms[i] = await peer.Join(crowd.Client, owner, ct));
        return measure => Send(crowd.Client, peer, owner, rooms, measure);
    });

    static async Task Send(HomeserverClient client, Peer peer, User owner, PeerRoom[] rooms, Measurement measure)
    {
        var next = 0;
        await measure.Begin();
        var begun = Stopwatch.GetTimestamp();
        do
        {
            List<Pdu> pdus = [.. Enumerable.Range(0, InTransaction).Select(_ => peer.Next(rooms[next++ % rooms.Length], $"message {next}"))];
            await measure.Timed(async () =>
            {
                await peer.Send(client.Target, owner, pdus, measure.Stop);
                // a server may take them in after it has answered
                var until = Stopwatch.GetTimestamp();
                while (!await client.Has(owner, pdus[^1].RoomId.ToString(), pdus[^1].EventId.ToString(), measure.Stop))
                {
                    if (Stopwatch.GetElapsedTime(until) > TimeSpan.FromSeconds(30)) throw new LoadException("An event was answered for and is not shown.");
                    await Task.Delay(20, measure.Stop);
                }
            }, pdus.Count);
        } while (Stopwatch.GetElapsedTime(begun) < measure.Duration);
        measure.End();
    }
}
