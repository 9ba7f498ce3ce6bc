using System.Diagnostics;

namespace Matrix.Load.Scenarios;

/// <summary>A user says something in a room of another server whose members are on many. One operation is one message, timed until all of them have it.</summary>
static class FanOut
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("fan-out-1000", "a message to 1,000 other servers, until all have it", (crowd, ct) => Prepare(crowd, 1000, ct)) { IsLong = true },
    ];

    static async Task<Func<Measurement, Task>> Prepare(Crowd crowd, int count, CancellationToken ct)
    {
        var peer = await Peer.Start(ct);
        var servers = await peer.Servers(crowd.Size(count), ct);
        var user = (await crowd.Users(1, ct))[0];
        await Greet(crowd.Client.Target, peer, servers, user, ct);
        var room = peer.Make(servers.All.Count + 1, servers.All);
        var id = room.RoomId.ToString();
        await crowd.Client.Join(user, id, ct, peer.Name.ToString());
        await FarJoins.Whole(crowd, user, id, servers.All.Count + 1, ct);
        Tell(crowd.Client.Target, $"has joined, and knows {servers.All.Count} servers");
        var began = Stopwatch.GetTimestamp();
        await Say(TimeSpan.FromMinutes(5), ct);
        Tell(crowd.Client.Target, $"has sent its first message after {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s");
        return async measure =>
        {
            // connections may have been closed while another server had its turn
            await Say(TimeSpan.FromMinutes(5), measure.Stop);
            await measure.Closed(1, (_, _) => Say(TimeSpan.FromMinutes(2), measure.Stop));
        };

        Task Say(TimeSpan patience, CancellationToken stop)
        {
            var text = $"fan-out-{HomeserverClient.Transaction()}";
            return servers.Await(text, () => crowd.Client.Send(user, id, text, stop), patience, stop);
        }
    }

    /// <summary>Each sends an empty transaction, for which the server under load asks for its key: of a thousand new servers in a room all at once some would take too long.</summary>
    static async Task Greet(Target target, Peer peer, PeerServers servers, User user, CancellationToken ct)
    {
        var greeted = 0;
        await Crowd.Each(servers.All.Count, async i =>
        {
            await peer.Send(target, user, [], ct, servers.All[i]);
            if (Interlocked.Increment(ref greeted) % 250 == 0) Tell(target, $"has heard of {greeted} servers");
        });
    }

    static void Tell(Target target, FormattableString what) => Console.WriteLine(FormattableString.Invariant($"fan-out: {target.Name} ") + FormattableString.Invariant(what));
}
