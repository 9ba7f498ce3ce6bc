using System.Text.Json;
using Matrix.Testing;

namespace Matrix.ClientApi.Tests.Delayed;

/// <summary>Events that are sent later, unless they are taken back (MSC4140).</summary>
public sealed class DelayedEventTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3", Unstable = "/_matrix/client/unstable/org.matrix.msc4140";
    const int Never = 3_600_000;

    [Fact]
    public async Task What_is_due_is_sent_once_and_not_before_its_time()
    {
        var (alice, room) = await server.UserInRoom();
        var since = (await alice.Sync()).NextBatch;
        var began = TimeProvider.System.GetTimestamp();
        var delayId = await Schedule(alice, room, "later", 1_500);
        await alice.Say(room, "now");
        var sync = await alice.SyncUntil(s => s.HasMessage(room, "later"), since);
        Assert.True(TimeProvider.System.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(1_500));
        var done = await Until(alice, delayId, e => e.Find("event_id") is not null);
        Assert.Empty((await alice.Get($"{Unstable}/delayed_events")).Ok()["delayed_events"].Items());
        Assert.Equal(done.String("event_id"), sync.Timeline(room).Single(e => e.Find("content.body")?.GetString() == "later").String("event_id"));
        (await Act(alice, delayId, "send")).Ok();
        (await Act(alice, delayId, "cancel")).Refused(409, "M_UNKNOWN");
        Assert.Equal(["later", "now"], (await alice.Messages(room, dir: "f", limit: 100))["chunk"].Items().Bodies().Order());
    }

    [Fact]
    public async Task A_restart_begins_the_delay_anew_and_a_cancelled_event_is_never_sent()
    {
        var (alice, room) = await server.UserInRoom();
        var first = await Schedule(alice, room, "first", Never);
        var second = await Schedule(alice, room, "second", Never - 1000);
        var before = (await alice.Get($"{Unstable}/delayed_events/{first}")).Ok();
        Assert.Equal("first", before["content"].String("body"));
        Assert.Equal(Never, before["delay_ms"].GetInt64());
        Assert.Equal([second, first], (await alice.Get($"{Unstable}/delayed_events")).Ok()["delayed_events"].Items().Select(e => e.String("delay_id")));

        (await Act(alice, second, "restart")).Ok();
        Assert.True((await alice.Get($"{Unstable}/delayed_events/{second}")).Ok()["scheduled_at"].GetInt64() >= before["scheduled_at"].GetInt64());
        (await Act(alice, first, "cancel")).Ok();
        (await Act(alice, first, "cancel")).Ok();
        (await Act(alice, first, "restart")).Refused(409, "M_UNKNOWN");
        (await Act(alice, first, "send")).Refused(409, "M_UNKNOWN");
        Assert.NotNull((await alice.Get($"{Unstable}/delayed_events/{first}")).Ok().Json.Find("finalised_ts"));

        (await alice.Post($"{Unstable}/delayed_events/{second}", new { action = "send" })).Ok(); // as matrix-js-sdk says it
        Assert.Equal(["second"], (await alice.Messages(room, dir: "f", limit: 100))["chunk"].Items().Bodies());
    }

    [Fact]
    public async Task State_is_put_off_too_and_a_server_that_knows_the_secret_id_may_send_it()
    {
        var (alice, room) = await server.UserInRoom();
        var scheduled = (await alice.Put($"{V3}/rooms/{ApiClient.Esc(room)}/state/org.matrix.msc3401.call.member/x?org.matrix.msc4140.delay={Never}", new { })).Ok();
        await alice.SetState(room, "org.matrix.msc3401.call.member", new { application = "m.call" }, "x");
        (await server.Anonymous.Post($"{Unstable}/delayed_events/{scheduled.String("delay_id")}/send")).Ok();
        Assert.Empty((await alice.GetState(room, "org.matrix.msc3401.call.member", "x")).EnumerateObject());
    }

    [Fact]
    public async Task Nobody_acts_on_the_events_of_others_and_a_repeated_request_schedules_one()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var path = $"{Unstable}/rooms/{ApiClient.Esc(room)}/delayed_event/m.room.message/t1";
        var body = new { delay_ms = Never, content = User.Text("x") };
        var delayId = (await alice.Put(path, body)).Ok().String("delay_id");
        Assert.Equal(delayId, (await alice.Put(path, body)).Ok().String("delay_id"));
        Assert.Single((await alice.Get($"{Unstable}/delayed_events")).Ok()["delayed_events"].Items());
        (await Act(bob, delayId, "cancel")).Refused(404, "M_NOT_FOUND");
        (await bob.Get($"{Unstable}/delayed_events/{delayId}")).Refused(404, "M_NOT_FOUND");
        (await Act(alice, delayId, "eat")).Refused(400, "M_INVALID_PARAM");
        (await Act(alice, "nothing", "send")).Refused(404, "M_NOT_FOUND");
        (await alice.Put(path[..^1] + "2", new { delay_ms = 0, content = new { } })).Refused(400, "M_INVALID_PARAM");
        (await alice.Put(path[..^1] + "2", new { delay_ms = 400L * 86_400_000, content = new { } })).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task What_may_no_longer_be_sent_is_over_and_says_why()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var delayId = await Schedule(bob, room, "from the grave", 1_000);
        var held = await Schedule(bob, room, "held", Never);
        await bob.Leave(room);
        var over = await Until(bob, delayId, e => e.Find("error") is not null);
        Assert.Equal("M_FORBIDDEN", over.At("error").String("errcode"));
        Assert.Null(over.Find("event_id"));
        // sent by hand, it stays scheduled
        (await Act(bob, held, "send")).Refused(403, "M_FORBIDDEN");
        Assert.Null((await bob.Get($"{Unstable}/delayed_events/{held}")).Ok().Json.Find("finalised_ts"));
        Assert.DoesNotContain("from the grave", (await alice.Messages(room)).Json.At("chunk").Items().Bodies());
    }

    [Fact]
    public async Task A_user_has_only_so_many()
    {
        await using var own = await MatrixServer.Start(configuration => configuration["max_delayed_events_per_user"] = "2");
        var (alice, room) = await own.UserInRoom();
        await Schedule(alice, room, "1", Never);
        await Schedule(alice, room, "2", Never);
        var refused = (await alice.Put($"{V3}/rooms/{ApiClient.Esc(room)}/send/m.room.message/t3?org.matrix.msc4140.delay={Never}", User.Text("3"))).Refused(429, "M_LIMIT_EXCEEDED");
        Assert.True(refused.Headers.RetryAfter is not null);
        Assert.Equal(2, (await alice.Get($"{V3}/capabilities")).Ok()["capabilities"].At("org.matrix.msc4140.delayed_events").At("max_scheduled").GetInt32());
    }

    static async Task<string> Schedule(User user, string room, string body, int delay) => (await user.Put(
        $"{V3}/rooms/{ApiClient.Esc(room)}/send/m.room.message/{Guid.NewGuid()}?org.matrix.msc4140.delay={delay}", User.Text(body))).Ok().String("delay_id");

    static Task<Reply> Act(User user, string delayId, string action) => user.Post($"{Unstable}/delayed_events/{delayId}/{action}");

    static Task<JsonElement> Until(User user, string delayId, Func<JsonElement, bool> arrived) =>
        Eventually.Get("it is over", async () => (await user.Get($"{Unstable}/delayed_events/{delayId}")).Ok().Json, arrived);
}
