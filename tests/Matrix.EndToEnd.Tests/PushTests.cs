using System.Diagnostics;
using System.Globalization;
using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests;

/// <summary>Pushes of the split stack: what is said in client-api reaches a gateway through the bus and the pusher, also when that is killed with -9.</summary>
[Collection("end to end")]
public sealed class PushTests(SplitStack stack)
{
    const string Key = "a key";

    [Fact]
    public async Task A_killed_pusher_loses_no_push_and_repeats_at_most_one()
    {
        await using var gateway = await TestGateway.Start();
        await using var chat = await stack.NewChat(ClientLibrary.Nio, ClientLibrary.JsSdk);
        var pushers = await chat.Bob.Call("setPusher", new { pusher = Pusher(gateway.Url) });
        Assert.Equal(Key, pushers.GetProperty("pushers")[0].GetProperty("pushkey").GetString());
        var sent = new List<string> { await chat.Alice.Send(chat.Room, "the first") };
        await gateway.Wait(Key, 1);

        const int Before = 10, After = 10;
        for (var i = 0; i < Before + After; i++)
        {
            sent.Add(await chat.Alice.Send(chat.Room, i.ToString(CultureInfo.InvariantCulture)));
            if (i == Before)
                stack.Server.Kill("pusher");
        }
        var pushed = (await gateway.WaitUntil(() => gateway.For(Key), all => all.Any(n => n.String("event_id") == sent[^1]), TimeSpan.FromSeconds(60)))
            .Select(n => n.String("event_id")).ToList();

        Assert.Equal(sent, pushed.Distinct());
        Assert.InRange(pushed.Count - sent.Count, 0, 1);
    }

    [Fact]
    public async Task A_push_leaves_soon_after_the_message_is_sent()
    {
        await using var gateway = await TestGateway.Start();
        await using var chat = await stack.NewChat(ClientLibrary.Nio, ClientLibrary.JsSdk);
        await chat.Bob.Call("setPusher", new { pusher = Pusher(gateway.Url) });
        var set = Stopwatch.GetTimestamp();
        var early = await chat.Alice.Send(chat.Room, "the first");
        await gateway.Wait(Key, 1); // by now the pusher listens
        var first = Stopwatch.GetElapsedTime(set, gateway.TimesOf(early)[0]).TotalMilliseconds;

        var times = new List<double>();
        for (var i = 0; i < 40; i++)
        {
            var before = Stopwatch.GetTimestamp();
            var sent = await chat.Alice.Send(chat.Room, "now");
            await gateway.WaitUntil(() => [], _ => gateway.CountOf(sent) > 0);
            times.Add(Stopwatch.GetElapsedTime(before, gateway.TimesOf(sent)[0]).TotalMilliseconds);
        }
        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"from before the client sends until the gateway has it: median {times[19]:0} ms, p95 {times[37]:0} ms, max {times[^1]:0} ms; the first {first:0} ms"));
        Assert.True(times[19] < 1000, "The pusher looked at the log only by its clock."); // every 3 s without the bus
    }

    static object Pusher(string url) => new
    {
        kind = "http", app_id = "org.example.app", pushkey = Key, app_display_name = "App", device_display_name = "Phone", lang = "en", data = new { url },
    };
}
