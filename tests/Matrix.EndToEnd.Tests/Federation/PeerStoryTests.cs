using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Testing;
using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests.Federation;

/// <summary>What rooms go through in time, shared with a Synapse: upgrades, spaces, admins from abroad, absences. Between servers of ours other tests see it, without a second process.</summary>
[Collection("end to end")]
public sealed class PeerStoryTests(FederatedHomes homes)
{
    const string V3 = "/_matrix/client/v3";

    public static TheoryData<string, string> PeerPairs => new() { { FederatedHomes.Split, FederatedHomes.Peer }, { FederatedHomes.Peer, FederatedHomes.Split } };

    static string Esc(string text) => ApiClient.Esc(text);

    [Theory, MemberData(nameof(PeerPairs))]
    public async Task A_room_that_is_upgraded_is_followed_from_another_server(string first, string second)
    {
        var (here, there) = await homes.Get(first, second);
        var (alice, bob) = (await here.NewUser("alice"), await there.NewUser("bob"));
        var old = await alice.CreateRoom(new { preset = "public_chat", room_version = "10", name = "Moving" });
        await bob.JoinVia(old, here.Name);
        await alice.SeesMember(old, bob, "join");
        foreach (var version in (string[])["11", "12"])
        {
            var room = (await alice.Post($"{V3}/rooms/{Esc(old)}/upgrade", new { new_version = version })).Ok().String("replacement_room");
            await bob.SeesState(old, "m.room.tombstone", "", content => content.String("replacement_room") == room);
            await bob.SeesState(old, "m.room.power_levels", "", levels => levels.Find("events_default")?.GetInt32() >= 50);
            Assert.Equal(HttpStatusCode.Forbidden, (await bob.TrySend(old, "m.room.message", new { msgtype = "m.text", body = "too late" })).Status);
            await bob.JoinVia(room, here.Name);
            Assert.Equal(old, (await bob.GetState(room, "m.room.create")).At("predecessor").String("room_id"));
            Assert.Equal("Moving", (await bob.GetState(room, "m.room.name")).String("name"));
            await bob.Say(room, $"here I am in {version}");
            await alice.SeesMessage(room, $"here I am in {version}");
            old = room;
        }
    }

    [Theory, MemberData(nameof(PeerPairs))]
    public async Task A_private_room_of_a_space_is_shown_to_those_alone_who_may_see_it(string first, string second)
    {
        var (here, there) = await homes.Get(first, second);
        var (alice, bob, carol) = (await here.NewUser("alice"), await there.NewUser("bob"), await there.NewUser("carol"));
        var space = await alice.CreateRoom(new { preset = "public_chat", name = "Space", creation_content = new { type = "m.space" } });
        var open = await alice.CreateRoom(new { preset = "public_chat", name = "Open" });
        var closed = await alice.CreateRoom(new { preset = "private_chat", name = "Closed" });
        var restricted = await alice.CreateRoom(new
        {
            preset = "private_chat", name = "For members", room_version = "10", initial_state = new[] { new { type = "m.room.join_rules", state_key = "",
                content = new { join_rule = "restricted", allow = new[] { new { type = "m.room_membership", room_id = space } } } } },
        });
        foreach (var child in (string[])[open, closed, restricted])
            await alice.SetState(space, "m.space.child", new { via = new[] { here.Name } }, child);
        await bob.JoinVia(space, here.Name);
        await carol.JoinVia(space, here.Name);
        await alice.Invite(closed, carol);
        await carol.SyncUntil(sync => sync.Invited(closed) is not null);
        await Sees(bob, [space, open, restricted]);
        await Sees(carol, [space, open, restricted, closed]);
        await bob.JoinVia(restricted, here.Name);
        await carol.JoinVia(closed, here.Name);
        Assert.DoesNotContain(closed, await Children(bob));

        // the peer may ask for patience
        async Task<HashSet<string>> Children(User user) => await user.Get($"/_matrix/client/v1/rooms/{Esc(space)}/hierarchy") is { Status: HttpStatusCode.OK } found
            ? [.. found["rooms"].Items().Select(one => one.String("room_id")!)] : [];
        Task Sees(User user, string[] rooms) => Eventually.True($"{user.UserId} sees {rooms.Length} rooms", async () => (await Children(user)).SetEquals(rooms));
    }

    [Theory, MemberData(nameof(PeerPairs))]
    public async Task An_admin_of_another_server_governs_the_room(string first, string second)
    {
        var (here, there) = await homes.Get(first, second);
        var (alice, bob, carol, dave) = (await here.NewUser("alice"), await there.NewUser("bob"), await here.NewUser("carol"), await there.NewUser("dave"));
        var room = await alice.CreateRoom(new { preset = "public_chat", room_version = "11" });
        await carol.Join(room);
        await bob.JoinVia(room, here.Name);
        await dave.JoinVia(room, here.Name);
        await alice.SeesMember(room, dave, "join");
        await Raise(alice, bob, 100);
        await bob.SeesState(room, "m.room.power_levels", "", levels => Level(levels, bob) == 100);

        var said = await carol.Say(room, "unwanted");
        await bob.SeesMessage(room, "unwanted");
        await bob.Redact(room, said.EventId);
        (await bob.Post($"{V3}/rooms/{Esc(room)}/ban", new { user_id = carol.UserId })).Ok();
        await Raise(bob, dave, 60);
        await bob.SetState(room, "m.room.server_acl", new { allow = new[] { "*" }, deny = new[] { "evil.example" } });
        await alice.SeesMember(room, carol, "ban");
        await alice.SeesState(room, "m.room.power_levels", "", levels => Level(levels, dave) == 60);
        await alice.SeesState(room, "m.room.server_acl", "", acl => acl.At("deny").Items().Count == 1);
        await Eventually.True("it is redacted for alice", async () => (await alice.Event(room, said.EventId)).Find("content.body") == null);
        Assert.Equal(HttpStatusCode.Forbidden, (await carol.TrySend(room, "m.room.message", new { msgtype = "m.text", body = "still here" })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await carol.Post($"{V3}/rooms/{Esc(room)}/join")).Status);
        // who has as much as the other takes nothing from him
        Assert.Equal(HttpStatusCode.Forbidden, (await alice.Post($"{V3}/rooms/{Esc(room)}/kick", new { user_id = bob.UserId })).Status);
        await Raise(bob, bob, 0);
        await alice.SeesState(room, "m.room.power_levels", "", levels => Level(levels, bob) is null or 0);
        Assert.Equal(HttpStatusCode.Forbidden, (await bob.TrySetState(room, "m.room.name", new { name = "no more" })).Status);

        async Task Raise(User by, User whom, int level)
        {
            var levels = JsonNode.Parse((await by.GetState(room, "m.room.power_levels")).GetRawText())!.AsObject();
            levels["users"]![whom.UserId] = level;
            await by.SetState(room, "m.room.power_levels", levels);
        }
        static int? Level(JsonElement levels, User user) => levels.Find("users")?.Find(user.UserId)?.GetInt32();
    }

    [Theory, MemberData(nameof(PeerPairs))]
    public async Task A_newcomer_finds_the_day_before_the_own_join(string first, string second)
    {
        var (here, there) = await homes.Get(first, second);
        var (alice, bob) = (await here.NewUser("alice"), await there.NewUser("bob"));
        var room = await alice.CreateRoom(new { preset = "public_chat" });
        var said = new List<string>();
        for (var i = 0; i < 30; i++)
        {
            var sent = await alice.Say(room, $"day {i}");
            await alice.PassMillisecond(room, sent);
            said.Add(sent.EventId);
        }
        await bob.JoinVia(room, here.Name);
        var ts = (await alice.Event(room, said[10])).At("origin_server_ts").GetInt64();
        var path = $"/_matrix/client/v1/rooms/{Uri.EscapeDataString(room)}";
        foreach (var dir in new[] { "f", "b" })
            Assert.Equal(said[10], (await bob.Get($"{path}/timestamp_to_event?ts={ts}&dir={dir}")).Ok().String("event_id"));
        var context = (await bob.Get($"/_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/context/{Uri.EscapeDataString(said[10])}?limit=2")).Ok();
        Assert.Equal("day 10", context.String("event.content.body"));
        var before = (await bob.Messages(room, context.String("start"), limit: 5))["chunk"].Items().Bodies();
        Assert.Contains("day 8", before);
    }

    [Theory, MemberData(nameof(PeerPairs))]
    public async Task Who_was_away_sees_what_was_said_meanwhile_and_nothing_that_was_taken_back(string first, string second)
    {
        var (here, there) = await homes.Get(first, second);
        var (alice, bob) = (await here.NewUser("alice"), await there.NewUser("bob"));
        var room = await alice.CreateRoom(new { preset = "public_chat" });
        var early = await alice.Say(room, "taken back before bob has it");
        for (var i = 0; i < 3; i++)
            await alice.Say(room, $"first {i}");
        await bob.JoinVia(room, here.Name);
        await bob.Say(room, "hello");
        await alice.SeesMessage(room, "hello");
        // his server may not have the event that is redacted
        await alice.Redact(room, early.EventId);
        await alice.Say(room, "forget it");
        await bob.SeesMessage(room, "forget it");
        await bob.Leave(room);
        await alice.SeesMember(room, bob, "leave");
        var slip = await alice.Say(room, "a slip");
        for (var i = 0; i < 12; i++)
            await alice.Say(room, $"away {i}");
        await alice.SetState(room, "m.room.topic", new { topic = "new" });
        await alice.Redact(room, slip.EventId);
        await bob.JoinVia(room, here.Name);
        await alice.SeesMember(room, bob, "join");
        await alice.Say(room, "welcome back");
        await bob.SeesMessage(room, "welcome back");
        Assert.Equal("new", (await bob.GetState(room, "m.room.topic")).String("topic"));

        List<string> expected = ["welcome back", .. Enumerable.Range(0, 12).Reverse().Select(i => $"away {i}"), "forget it", "hello", "first 2", "first 1", "first 0"], seen = [];
        await Eventually.True("bob has read all of it", async () =>
        {
            string? from = null;
            seen.Clear();
            for (var page = 0; page < 20; page++)
            {
                var messages = await bob.Messages(room, from, limit: 20);
                seen.AddRange(messages["chunk"].Items().Bodies());
                from = messages.Json.Find("end")?.GetString();
                if (from == null)
                    break;
            }
            seen.RemoveAll(body => body == "(redacted)");
            return seen.Count >= expected.Count;
        });
        Assert.True(expected.SequenceEqual(seen), $"Seen was {string.Join(", ", seen)}.");
    }
}
