using System.Text.Json;
using Matrix.ClientApi.Tests.Sync.Sliding;

namespace Matrix.ClientApi.Tests.Threads;

public sealed class ThreadSubscriptionTests(MatrixServer server)
{
    const string Extension = "io.element.msc4308.thread_subscriptions", Pages = "/_matrix/client/unstable/io.element.msc4308/thread_subscriptions";

    static readonly object ByThread = new { room = new { timeline = new { unread_thread_notifications = true } } };

    [Fact]
    public async Task A_thread_is_subscribed_to_by_hand_or_by_an_event_and_left_again()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var root = await alice.Say(room, "root");
        (await Get(bob, room, root)).Refused(404, "M_NOT_FOUND");
        (await Delete(bob, room, root)).Ok();
        var cause = await InThread(alice, room, root, "you there?");
        (await Put(bob, room, root, cause)).Ok();
        Assert.True((await Get(bob, room, root)).Ok()["automatic"].GetBoolean());
        (await Put(bob, room, root)).Ok();
        Assert.False((await Get(bob, room, root)).Ok()["automatic"].GetBoolean());
        // what the user did by hand stays so
        (await Put(bob, room, root, cause)).Ok();
        Assert.False((await Get(bob, room, root)).Ok()["automatic"].GetBoolean());
        (await Delete(bob, room, root)).Ok();
        (await Get(bob, room, root)).Refused(404, "M_NOT_FOUND");
        (await Get(alice, room, root)).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task A_client_does_not_subscribe_again_by_what_the_user_knew_when_leaving()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var root = await alice.Say(room, "root");
        var old = await InThread(alice, room, root, "old");
        (await Put(bob, room, root, old)).Ok();
        (await Delete(bob, room, root)).Ok();
        (await Put(bob, room, root, old)).Refused(409, "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION");
        (await Get(bob, room, root)).Refused(404, "M_NOT_FOUND");
        (await Put(bob, room, root, await InThread(alice, room, root, "new"))).Ok();
        Assert.True((await Get(bob, room, root)).Ok()["automatic"].GetBoolean());
    }

    [Fact]
    public async Task What_is_no_thread_of_the_user_is_refused()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var (root, other) = (await alice.Say(room, "root"), await alice.Say(room, "other"));
        (await Put(bob, room, root, other)).Refused(400, "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD");
        (await Put(bob, room, root, await InThread(alice, room, other, "elsewhere"))).Refused(400, "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD");
        (await Put(bob, room, root, new Sent("$nowhere"))).Refused(400, "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD");
        (await bob.Put(Path(room, root), new { automatic = true })).Refused(400, "M_BAD_JSON");
        (await Put(bob, room, new Sent("$nowhere"))).Refused(404, "M_NOT_FOUND");
        var stranger = await server.NewUser();
        (await Put(stranger, room, root)).Refused(404, "M_NOT_FOUND");
        (await Delete(stranger, room, root)).Refused(404, "M_NOT_FOUND");
        (await bob.Put("/_matrix/client/v3/pushrules/global/postcontent/mine", new { actions = new[] { "notify" } })).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task Other_devices_are_told_and_older_changes_are_paged()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var phone = await bob.NewDevice();
        var roots = new List<Sent>();
        for (var i = 0; i < 5; i++)
            roots.Add(await alice.Say(room, $"root {i}"));
        var body = SlidingRequests.List(extensions: new Dictionary<string, object> { [Extension] = new { enabled = true, limit = 2 } });
        var first = await phone.Slide(body);
        Assert.Null(first.Extension(Extension));
        var waiting = phone.SlideUntil(body, s => s.Extension(Extension) is not null, first.Pos);
        (await Put(bob, room, roots[0])).Ok();
        var told = (await waiting).Extension(Extension)!.Value;
        Assert.False(told.At("subscribed").At(room).At(roots[0].EventId).At("automatic").GetBoolean());
        foreach (var root in roots.Skip(1))
            (await Put(bob, room, root)).Ok();
        (await Delete(bob, room, roots[1])).Ok();
        // from where the phone was: the newest two with the answer, the others by pages, each thread once
        var many = (await phone.SlideUntil(body, s => Names(s.Extension(Extension)?.At("unsubscribed"), room).Count > 0, first.Pos)).Extension(Extension)!.Value;
        Assert.Equal([roots[4].EventId], Names(many.At("subscribed"), room));
        Assert.Equal([roots[1].EventId], Names(many.At("unsubscribed"), room));
        var page = await Page(phone, many.At("prev_batch").GetString()!, first.Pos, 2);
        Assert.Equal(Ids(roots[2], roots[3]), Names(page["subscribed"], room));
        page = await Page(phone, page.String("end"), first.Pos, 2);
        Assert.Equal([roots[0].EventId], Names(page["subscribed"], room));
        Assert.False(page.Json.TryGetProperty("end", out _));
        // and nobody else is told of it, though they are in the room
        Assert.Null((await alice.Slide(body)).Extension(Extension));
        Assert.Empty(Names((await alice.Get($"{Pages}?dir=b")).Ok()["subscribed"], room));
        (await phone.Get($"{Pages}?dir=f")).Refused(400, "M_INVALID_PARAM");
        (await phone.Get($"{Pages}?dir=b&limit=0")).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task Threads_notify_who_is_subscribed_once_a_client_of_theirs_subscribes()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var (root, other) = (await alice.Say(room, "root"), await alice.Say(room, "other"));
        await InThread(alice, room, root, "before");
        var sync = await bob.SyncUntil(s => s.HasMessage(room, "before"));
        Assert.Equal(1, await Unread(bob, room, root));
        (await Put(bob, room, root)).Ok();
        var rules = await bob.SyncUntil(s => s.AccountData.Any(e => e.String("type") == "m.push_rules"), sync.NextBatch);
        Assert.All(rules.AccountData.Single(e => e.String("type") == "m.push_rules").At("content.global.postcontent").Items(),
            rule => Assert.True(rule.GetProperty("enabled").GetBoolean()));
        await Hear(alice, bob, room, "rules are on");
        await InThread(alice, room, root, "subscribed");
        await InThread(alice, room, other, "not subscribed");
        await InThread(alice, room, other, "you", bob.UserId);
        await alice.Say(room, "last");
        await bob.SyncUntil(s => s.HasMessage(room, "last"));
        Assert.Equal((2, 1), (await Unread(bob, room, root), await Unread(bob, room, other)));
        var notified = (await bob.Get("/_matrix/client/v3/notifications")).Ok()["notifications"].Items().Select(n => n.At("event.content.body").GetString());
        Assert.DoesNotContain("not subscribed", notified);
        Assert.Contains("subscribed", notified);
        // who wants to hear of all threads again does
        (await bob.Put("/_matrix/client/v3/pushrules/global/postcontent/.io.element.msc4306.rule.unsubscribed_thread/enabled", new { enabled = false })).Ok();
        (await Put(bob, room, root)).Ok();
        await Hear(alice, bob, room, "rules are off");
        await InThread(alice, room, other, "heard");
        await bob.SyncUntil(s => s.HasMessage(room, "heard"));
        Assert.Equal(2, await Unread(bob, room, other));
    }

    /// <summary>Waits until the process that a user's messages go to knows what another did: an event is judged by the rules that are known there.</summary>
    static async Task Hear(User user, User other, string room, string body)
    {
        await other.Say(room, body);
        await user.SyncUntil(s => s.HasMessage(room, body));
    }

    /// <summary>What is unread in a thread, by a first sync.</summary>
    static async Task<int> Unread(User user, string room, Sent root) => (await user.Sync(filter: ByThread)).Joined(room)!.Value
        .Find("unread_thread_notifications")?.Find(root.EventId)?.At("notification_count").GetInt32() ?? 0;

    static IReadOnlyList<string> Names(JsonElement? rooms, string room) => [.. (rooms?.Find(room)?.EnumerateObject().Select(thread => thread.Name) ?? []).Order()];

    static IReadOnlyList<string> Ids(params Sent[] sent) => [.. sent.Select(s => s.EventId).Order()];

    static async Task<Reply> Page(User user, string from, string to, int limit) => (await user.Get(
        $"{Pages}?dir=b&from={ApiClient.Esc(from)}&to={ApiClient.Esc(to)}&limit={limit}")).Ok();

    static Task<Sent> InThread(User user, string room, Sent root, string body, params string[] mentions) => user.Send(room, "m.room.message", new Dictionary<string, object>
    {
        ["msgtype"] = "m.text",
        ["body"] = body,
        ["m.mentions"] = new { user_ids = mentions },
        ["m.relates_to"] = new { rel_type = "m.thread", event_id = root.EventId },
    });

    static string Path(string room, Sent root) =>
        $"/_matrix/client/unstable/io.element.msc4306/rooms/{ApiClient.Esc(room)}/thread/{ApiClient.Esc(root.EventId)}/subscription";

    static Task<Reply> Get(User user, string room, Sent root) => user.Get(Path(room, root));

    static Task<Reply> Delete(User user, string room, Sent root) => user.Delete(Path(room, root));

    static Task<Reply> Put(User user, string room, Sent root, Sent? cause = null) =>
        user.Put(Path(room, root), cause is null ? new { } : (object)new { automatic = cause.EventId });
}
