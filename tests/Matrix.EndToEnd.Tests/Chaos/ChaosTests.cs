using System.Globalization;
using Matrix.Testing;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>
/// Two replicas of every service under load, while each is restarted, scaled, killed and paused, and while what they stand on goes away. The short form runs
/// with all tests; <c>./test chaos</c> runs the long one, in which another server takes part.
/// </summary>
[Collection("end to end")]
public sealed class ChaosTests(ITestOutputHelper output)
{
    static readonly string[] s_services = ["client-api", "federation-reader", "federation-sender", "media-repo", "pusher"];

    static readonly string[] s_twoOfEach = ["--replicas", .. s_services.Select(service => service + "=2")];

    static readonly TimeSpan s_recovery = TimeSpan.FromSeconds(30);

    static bool IsLong => Environment.GetEnvironmentVariable("MATRIX_TEST_CHAOS") == "long";

    [Fact]
    public async Task Any_service_is_restarted_scaled_and_killed_under_load_and_no_acknowledged_message_is_lost_doubled_or_out_of_order()
    {
        await using var neighbours = IsLong ? await Neighbours.Start(new Dictionary<string, string>(), s_twoOfEach) : null;
        await using var alone = IsLong ? null : await RunningServer.Start(s_twoOfEach);
        var server = neighbours?.Ours ?? alone!;
        await using var crowd = await Crowd.Begin(server, people: 6, rooms: 3, Seed(), neighbours?.Theirs);
        await crowd.More(20);

        await Unnoticed(crowd, "the schema of the next release", () => NextSchema.Apply(server, TestContext.Current.CancellationToken));
        foreach (var service in s_services.Prepend("gateway"))
            await Unnoticed(crowd, $"rolling restart of {service}", () => server.Matrixctl(["restart", service]));
        await Unnoticed(crowd, "client-api scaled to 3", () => server.Matrixctl(["scale", "client-api=3"]));
        await Unnoticed(crowd, "client-api scaled to 1", () => server.Matrixctl(["scale", "client-api=1"]));
        await Unnoticed(crowd, "client-api scaled to 2", () => server.Matrixctl(["scale", "client-api=2"]));

        foreach (var service in IsLong ? s_services : ["client-api"])
        {
            var victim = server.Processes().First(process => process.Name.StartsWith(service + "-", StringComparison.Ordinal)).Name;
            await Bounded(crowd, $"kill -9 of {victim}", async () => await server.WaitReplaced(server.Kill(victim)));
        }
        await crowd.Audit();
        output.WriteLine($"{crowd.Acknowledged} messages acknowledged, {crowd.Trouble.Requests} requests");
    }

    [Fact]
    public async Task What_the_services_stand_on_may_go_away_under_load_and_no_acknowledged_message_is_lost_doubled_or_out_of_order()
    {
        Assert.SkipUnless(IsLong, "Takes minutes: ./test chaos runs it.");
        var away = TimeSpan.FromSeconds(60);
        await using var outside = await Outside.Start();
        await using var neighbours = await Neighbours.Start(outside.Settings, s_twoOfEach);
        var server = neighbours.Ours;
        await using var crowd = await Crowd.Begin(server, people: 6, rooms: 3, Seed(), neighbours.Theirs);
        await crowd.More(20);

        await Bounded(crowd, "RabbitMQ away for 60 s", async () =>
        {
            outside.RabbitMq.GoAway();
            await Task.Delay(away, TestContext.Current.CancellationToken);
            outside.RabbitMq.ComeBack();
        });
        await Bounded(crowd, "Redis emptied and away for 60 s", async () =>
        {
            await outside.EmptyRedis();
            outside.Redis.GoAway();
            await Task.Delay(away, TestContext.Current.CancellationToken);
            outside.Redis.ComeBack();
        });
        // client-api alone, then one of each other service together
        foreach (var services in new[] { s_services[..1], s_services[1..] })
        {
            var paused = services.Select(service => server.Processes().First(process => process.Name.StartsWith(service + "-", StringComparison.Ordinal))).ToList();
            await Bounded(crowd, $"{string.Join(", ", paused.Select(process => process.Name))} paused for 30 s", async () =>
            {
                await RunningServer.Run("kill", ["-STOP", .. paused.Select(process => $"{process.Pid}")]);
                await Task.Delay(away / 2, TestContext.Current.CancellationToken);
                await RunningServer.Run("kill", ["-CONT", .. paused.Select(process => $"{process.Pid}")]);
            });
        }
        await Bounded(crowd, "Postgres restarted", async () => await server.WaitReplacedPart(await server.Interrupt("postgres")));
        await Bounded(crowd, "kill -9 of the gateway", async () => await server.WaitReplaced(server.Kill("gateway")), mayBreakConnections: true);
        await crowd.Audit();
        output.WriteLine($"{crowd.Acknowledged} messages acknowledged, {crowd.Trouble.Requests} requests");
    }

    int Seed()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next(1_000_000);
        output.WriteLine($"MATRIX_TEST_SEED={seed}");
        return seed;
    }

    /// <summary>No request fails, and no client sees an error.</summary>
    async Task Unnoticed(Crowd crowd, string what, Func<Task> action)
    {
        var (from, before) = (crowd.Trouble.Now, crowd.Acknowledged);
        await action();
        await crowd.More(20);
        var failed = crowd.Trouble.Since(from);
        output.WriteLine($"{what}: {(crowd.Trouble.Now - from).TotalSeconds:F1} s, {crowd.Acknowledged - before} messages, {failed.Count} failed");
        Assert.True(failed.Count == 0, $"{what}:\n{string.Join('\n', failed.Take(10))}");
    }

    /// <summary>What fails is little, says that it will pass, and passes.</summary>
    async Task Bounded(Crowd crowd, string what, Func<Task> action, bool mayBreakConnections = false)
    {
        var (from, before) = (crowd.Trouble.Now, crowd.Acknowledged);
        await action();
        var passed = crowd.Trouble.Now;
        await crowd.More(20);
        // idle connections to what was restarted are found to be broken one by one
        await Eventually.True("no request fails for two seconds", () => crowd.Trouble.Since(crowd.Trouble.Now - TimeSpan.FromSeconds(2)).Count == 0);
        var end = crowd.Trouble.Now;
        Assert.True(end - passed < s_recovery, $"{what}: not over after {end - passed}");
        await crowd.More(50);
        var failed = crowd.Trouble.Since(from);
        output.WriteLine($"{what}: {(end - from).TotalSeconds:F1} s, {crowd.Acknowledged - before} messages, {failed.Count} failed, {failed.Count(f => !f.IsTold)} of them not told as passing");
        Assert.True(mayBreakConnections || failed.All(f => f.IsTold), $"{what}:\n{string.Join('\n', failed.Where(f => !f.IsTold).Take(10))}");
        Assert.True(!failed.Any(f => f.At > end), $"after {what}, when all was well again:\n{string.Join('\n', failed.Where(f => f.At > end).Take(10))}");
    }
}
