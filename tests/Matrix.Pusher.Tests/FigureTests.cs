using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Matrix.Pusher.Tests;

/// <summary>
/// How fast pushes leave: <c>MATRIX_TEST_PUSHERS=200 MATRIX_TEST_PUSHES=10000 dotnet run -c Release --project tests/Matrix.Pusher.Tests -- --filter-class
/// '*FigureTests' --show-stdout All --output Detailed</c>. The server, all in one, and the gateway share this process.
/// </summary>
public sealed class FigureTests
{
    static readonly int Pushers = Number("MATRIX_TEST_PUSHERS", 20), Pushes = Number("MATRIX_TEST_PUSHES", 400);

    [Fact]
    public async Task A_message_in_a_room_with_many_pushers_reaches_the_gateway_soon_and_each_pusher_once()
    {
        await using var gateway = await TestGateway.Start();
        await using var server = await MatrixServer.Start(PushServer.Configure);
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        var keys = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, Pushers), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) =>
        {
            var user = await server.NewUser();
            await user.Join(room);
            keys.Add(await PushServer.SetPusher(user, gateway.Url));
        });
        await alice.Say(room, "the first");
        await gateway.WaitUntil(() => [], _ => gateway.Count >= Pushers);

        var latencies = await Pace(gateway, alice, room);
        var (rate, cpu) = await Burst(gateway, alice, room);
        var ordered = latencies.Order().ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Pushers} pushers; from before the send to the gateway: median {At(0.5):0} ms, p95 {At(0.95):0} ms, max {ordered[^1]:0} ms; "
            + $"burst: {rate:0} pushes/s, {cpu:0.00} ms of CPU a push with gateway and server"));
        Assert.All(keys, key => Assert.Distinct(gateway.For(key).Select(n => n.String("event_id"))));

        double At(double part) => ordered[(int)(part * (ordered.Count - 1))];
    }

    /// <summary>Messages one by one, on an idle server: milliseconds from before the request until the gateway has it.</summary>
    static async Task<List<double>> Pace(TestGateway gateway, User alice, string room)
    {
        var latencies = new List<double>();
        for (var i = 0; i < 20; i++)
        {
            var before = Stopwatch.GetTimestamp();
            var sent = await alice.Say(room, "now");
            await gateway.WaitUntil(() => [], _ => gateway.CountOf(sent.EventId) >= Pushers);
            latencies.AddRange(gateway.TimesOf(sent.EventId).Select(at => Stopwatch.GetElapsedTime(before, at).TotalMilliseconds));
        }
        return latencies;
    }

    static async Task<(double PerSecond, double CpuMs)> Burst(TestGateway gateway, User alice, string room)
    {
        var (messages, had) = (Math.Max(1, Pushes / Pushers), gateway.Accepted.Count);
        var (cpu, began) = (Process.GetCurrentProcess().TotalProcessorTime, Stopwatch.GetTimestamp());
        for (var i = 0; i < messages; i++)
            await alice.Say(room, "burst");
        await gateway.WaitUntil(() => [], _ => gateway.Count - had >= messages * Pushers);
        var pushes = messages * Pushers;
        return (pushes / Stopwatch.GetElapsedTime(began).TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMilliseconds / pushes);
    }

    static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
