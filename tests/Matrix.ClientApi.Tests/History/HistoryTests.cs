using System.Text.Json;

namespace Matrix.ClientApi.Tests.History;

public sealed class HistoryTests(MatrixServer server)
{
    [Fact]
    public async Task Paging_back_from_a_gap_reaches_every_event_once()
    {
        var (alice, room) = await server.UserInRoom();
        var sent = new List<string>();
        for (var i = 0; i < 25; i++)
            sent.Add((await alice.Say(room, $"m{i}")).EventId);
        var sync = await alice.SyncUntil(s => s.HasMessage(room, "m24"));
        var from = sync.Joined(room)!.Value.String("timeline.prev_batch");
        var ids = sync.Timeline(room).Select(Id).Reverse().ToList();
        while (from is not null)
        {
            var page = await alice.Messages(room, from, limit: 7);
            Assert.Equal(from, page.String("start"));
            ids.AddRange(page["chunk"].Items().Select(Id));
            from = page.Json.Find("end")?.GetString();
        }
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Equal(Enumerable.Reverse(sent), ids.Take(25));
        var forwards = (await alice.Messages(room, dir: "f", limit: 1000))["chunk"].Items().Select(Id);
        Assert.Equal(Enumerable.Reverse(ids), forwards);
    }

    [Fact]
    public async Task Forwards_from_a_sync_token_leads_to_what_came_after_it()
    {
        var (alice, room) = await server.UserInRoom();
        var since = (await alice.Sync()).NextBatch;
        await alice.Say(room, "a");
        await alice.Say(room, "b");
        await alice.Say(room, "c");
        var page = await alice.Messages(room, since, "f", 2);
        Assert.Equal(["a", "b"], page["chunk"].Items().Bodies());
        var rest = await alice.Messages(room, page.String("end"), "f");
        Assert.Equal(["c"], rest["chunk"].Items().Bodies());
        Assert.Null(rest.Json.Find("end"));
    }

    [Fact]
    public async Task A_page_ends_where_it_is_told_to()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.Say(room, "a");
        var to = (await alice.SyncUntil(s => s.HasMessage(room, "a"))).NextBatch;
        await alice.Say(room, "b");
        await alice.Say(room, "c");
        var page = (await alice.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/messages?dir=b&limit=100&to={to}")).Ok();
        Assert.Equal(["c", "b"], page["chunk"].Items().Bodies());
    }

    [Fact]
    public async Task A_filter_and_lazy_members_apply_to_a_page()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await alice.Say(room, "a");
        await bob.Say(room, "b");
        var page = await alice.Messages(room, filter: new { types = new[] { "m.room.message" }, senders = new[] { bob.UserId }, lazy_load_members = true });
        Assert.Equal(["b"], page["chunk"].Items().Bodies());
        Assert.Equal([bob.UserId], page["state"].Items().Select(e => e.String("state_key")));
    }

    [Fact]
    public async Task Strangers_get_nothing()
    {
        var (alice, room) = await server.UserInRoom();
        var sent = await alice.Say(room, "secret");
        var eve = await server.NewUser();
        var path = $"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}";
        (await eve.Get($"{path}/messages?dir=b")).Refused(403, "M_FORBIDDEN");
        (await eve.Get($"{path}/members")).Refused(403, "M_FORBIDDEN");
        (await eve.Get($"{path}/joined_members")).Refused(403, "M_FORBIDDEN");
        (await eve.Get($"{path}/event/{ApiClient.Esc(sent.EventId)}")).Refused(404, "M_NOT_FOUND");
        (await eve.Get($"{path}/context/{ApiClient.Esc(sent.EventId)}")).Refused(404, "M_NOT_FOUND");
        (await alice.Get($"{path}/messages")).Refused(400, "M_MISSING_PARAM");
        (await alice.Get($"{path}/messages?dir=x")).Refused(400, "M_INVALID_PARAM");
        (await alice.Get($"{path}/messages?dir=b&from=zzz")).Refused(400, "M_INVALID_PARAM");
    }

    [Theory]
    [InlineData("joined", false, false)]
    [InlineData("invited", false, true)]
    [InlineData("shared", true, true)]
    [InlineData("world_readable", true, true)]
    public async Task A_new_member_sees_as_far_back_as_the_room_lets(string visibility, bool beforeInvite, bool afterInvite)
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreateRoom(new
        {
            preset = "private_chat",
            initial_state = new[] { new { type = "m.room.history_visibility", state_key = "", content = new { history_visibility = visibility } } },
        });
        var early = await alice.Say(room, "before the invite");
        await alice.Invite(room, bob);
        await alice.Say(room, "after the invite");
        await bob.Join(room);
        await alice.Say(room, "after the join");

        var seen = (await bob.Messages(room, limit: 100))["chunk"].Items().Bodies();
        Assert.Contains("after the join", seen);
        Assert.Equal(afterInvite, seen.Contains("after the invite"));
        Assert.Equal(beforeInvite, seen.Contains("before the invite"));
        var sync = await bob.SyncUntil(s => s.HasMessage(room, "after the join"), filter: new { room = new { timeline = new { limit = 100 } } });
        Assert.Equal(seen.Reverse(), sync.Bodies(room));
        var single = await bob.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/event/{ApiClient.Esc(early.EventId)}");
        Assert.Equal(beforeInvite ? 200 : 404, (int)single.Status);
    }

    [Fact]
    public async Task A_former_member_reads_the_room_as_it_was()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await alice.Say(room, "while there");
        await bob.Leave(room);
        await alice.Say(room, "after");
        await alice.Invite(room, await server.NewUser());
        Assert.Equal(["while there"], (await bob.Messages(room, limit: 100))["chunk"].Items().Bodies());
        var members = (await bob.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/members")).Ok()["chunk"].Items();
        Assert.Equal(2, members.Count);
        Assert.Equal("leave", members.Single(e => e.String("state_key") == bob.UserId).String("content.membership"));
        (await bob.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/joined_members")).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task Members_can_be_asked_for_by_membership_and_at_a_time()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var at = (await alice.SyncUntil(s => s.Joined(room) is not null)).NextBatch;
        await bob.Leave(room);
        var path = $"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/members";
        Assert.Equal("leave", await MembershipOf(bob, path));
        Assert.Equal("join", await MembershipOf(bob, $"{path}?at={at}"));
        Assert.Equal([alice.UserId], (await alice.Get($"{path}?membership=join")).Ok()["chunk"].Items().Select(e => e.String("state_key")));
        Assert.Equal([alice.UserId], (await alice.Get($"{path}?not_membership=leave")).Ok()["chunk"].Items().Select(e => e.String("state_key")));
        (await alice.Get($"{path}?membership=elsewhere")).Refused(400, "M_INVALID_PARAM");

        async Task<string> MembershipOf(User user, string query) =>
            (await alice.Get(query)).Ok()["chunk"].Items().Single(e => e.String("state_key") == user.UserId).String("content.membership");
    }

    [Fact]
    public async Task Joined_members_and_joined_rooms_are_those_of_now()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var joined = (await alice.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/joined_members")).Ok()["joined"];
        Assert.Equal([alice.UserId, bob.UserId], joined.EnumerateObject().Select(m => m.Name).Order(StringComparer.Ordinal));
        Assert.Equal([room], (await bob.Get("/_matrix/client/v3/joined_rooms")).Ok()["joined_rooms"].Items().Select(r => r.GetString()));
        await bob.Leave(room);
        Assert.Empty((await bob.Get("/_matrix/client/v3/joined_rooms")).Ok()["joined_rooms"].Items());
    }

    [Fact]
    public async Task Context_shows_what_is_around_an_event_and_leads_on_in_both_directions()
    {
        var (alice, room) = await server.UserInRoom();
        var ids = new List<string>();
        for (var i = 0; i < 9; i++)
            ids.Add((await alice.Say(room, $"m{i}")).EventId);
        var context = (await alice.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/context/{ApiClient.Esc(ids[4])}?limit=4")).Ok();
        Assert.Equal(ids[4], context.String("event.event_id"));
        Assert.Equal(["m3", "m2"], context["events_before"].Items().Bodies());
        Assert.Equal(["m5", "m6"], context["events_after"].Items().Bodies());
        Assert.Contains(context["state"].Items(), e => e.String("type") == "m.room.create");
        Assert.Equal(["m1", "m0"], (await alice.Messages(room, context.String("start"), "b", 2))["chunk"].Items().Bodies());
        Assert.Equal(["m7", "m8"], (await alice.Messages(room, context.String("end"), "f", 5))["chunk"].Items().Bodies());
    }

    [Fact]
    public async Task A_single_event_names_its_room()
    {
        var (alice, room) = await server.UserInRoom();
        var sent = await alice.Say(room, "x");
        var e = await alice.Event(room, sent.EventId);
        Assert.Equal(room, e.String("room_id"));
        Assert.Equal("x", e.String("content.body"));
        var other = await alice.CreateRoom();
        (await alice.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(other)}/event/{ApiClient.Esc(sent.EventId)}")).Refused(404, "M_NOT_FOUND");
    }

    static string Id(JsonElement e) => e.String("event_id");
}
