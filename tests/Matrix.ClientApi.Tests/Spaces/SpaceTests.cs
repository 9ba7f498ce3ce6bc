namespace Matrix.ClientApi.Tests.Spaces;

public sealed class SpaceTests(MatrixServer server)
{
    [Fact]
    public async Task A_space_is_walked_depth_first_in_the_order_of_its_children()
    {
        var alice = await server.NewUser();
        var space = await Space(alice);
        var inner = await Space(alice);
        var (a, b, c) = (await alice.CreatePublicRoom(), await alice.CreatePublicRoom(), await alice.CreatePublicRoom());
        await Child(alice, space, a, order: "z");
        await Child(alice, space, inner, order: "b");
        await Child(alice, space, b);
        await Child(alice, inner, c);
        await Child(alice, inner, space); // a loop
        await Child(alice, space, "!elsewhere:example.org", order: "a");
        Assert.Equal([space, inner, c, a, b], Rooms(await Hierarchy(alice, space)));
        Assert.Equal([space, inner, a, b], Rooms(await Hierarchy(alice, space, "max_depth=1")));

        var first = await Hierarchy(alice, space, "limit=2");
        Assert.Equal([space, inner], Rooms(first));
        Assert.Equal(["!elsewhere:example.org", inner, a, b], first["rooms"][0].At("children_state").Items().Select(child => child.String("state_key")));
        Assert.Equal("m.space", first["rooms"][0].String("room_type"));
        var from = first.String("next_batch");
        var second = await Hierarchy(alice, space, $"limit=2&from={from}");
        Assert.Equal([c, a], Rooms(second));
        var last = await Hierarchy(alice, space, $"limit=2&from={second.String("next_batch")}");
        Assert.Equal([b], Rooms(last));
        Assert.Null(last.Json.Find("next_batch"));
        (await Ask(alice, space, $"suggested_only=true&from={from}")).Refused(400, "M_INVALID_PARAM");
        (await Ask(alice, space, "from=x")).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task A_space_shows_rooms_that_one_may_know_of_and_no_others()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var space = await Space(alice);
        var secret = await alice.CreateRoom();
        var open = await alice.CreatePublicRoom();
        var restricted = await alice.CreateRoom(new
        {
            initial_state = new[]
            {
                new { type = "m.room.join_rules", state_key = "", content = (object)new { join_rule = "restricted", allow = new[] { new { type = "m.room_membership", room_id = space } } } },
            },
        });
        await Child(alice, space, secret, order: "a"); // those without an order stand by time, and two may be of one millisecond
        await Child(alice, space, open, suggested: true, order: "b");
        await Child(alice, space, restricted, order: "c");
        Assert.Equal([space, secret, open, restricted], Rooms(await Hierarchy(alice, space)));
        Assert.Equal([space, open], Rooms(await Hierarchy(bob, space)));
        await bob.Join(space);
        var seen = await Hierarchy(bob, space);
        Assert.Equal([space, open, restricted], Rooms(seen));
        Assert.Equal([space], seen["rooms"][2].At("allowed_room_ids").Items().Select(room => room.GetString()));
        Assert.Equal([space, open], Rooms(await Hierarchy(alice, space, "suggested_only=true")));
        await alice.SetState(space, "m.space.child", new { }, open);
        Assert.Equal([space, restricted], Rooms(await Hierarchy(bob, space)));
        (await Ask(bob, secret)).Refused(403, "M_FORBIDDEN");
        (await Ask(bob, "!nothing:example.org")).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task A_room_is_summed_up_for_who_may_know_of_it()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreateRoom(new { preset = "public_chat", name = "Cheese", topic = "Tasty", room_alias_name = $"cheese-{Guid.NewGuid():N}" });
        var path = $"/_matrix/client/v1/room_summary/{ApiClient.Esc(room)}";
        var summary = (await alice.Get(path)).Ok();
        Assert.Equal(("Cheese", "Tasty", "public", "join"), (summary.String("name"), summary.String("topic"), summary.String("join_rule"), summary.String("membership")));
        Assert.Equal(1, summary["num_joined_members"].GetInt32());
        Assert.NotEmpty(summary.String("room_version"));
        Assert.Equal("leave", (await bob.Get(path)).Ok().String("membership"));
        Assert.Null((await server.Anonymous.Get($"/_matrix/client/v1/room_summary/{ApiClient.Esc(summary.String("canonical_alias"))}")).Ok().Json.Find("membership"));
        Assert.Equal(room, (await bob.Get($"/_matrix/client/unstable/im.nheko.summary/summary/{ApiClient.Esc(room)}")).Ok().String("room_id"));
        Assert.Equal(room, (await bob.Get($"/_matrix/client/unstable/im.nheko.summary/rooms/{ApiClient.Esc(room)}/summary")).Ok().String("room_id"));
        var secret = await alice.CreateRoom();
        (await bob.Get($"/_matrix/client/v1/room_summary/{ApiClient.Esc(secret)}")).Refused(404, "M_NOT_FOUND");
        await alice.Invite(secret, bob);
        Assert.Equal("invite", (await bob.Get($"/_matrix/client/v1/room_summary/{ApiClient.Esc(secret)}")).Ok().String("membership"));
    }

    [Fact]
    public async Task Mutual_rooms_are_those_that_both_are_in()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await alice.CreateRoom();
        var invited = await alice.CreateRoom();
        await alice.Invite(invited, bob);
        var path = "/_matrix/client/v1/mutual_rooms";
        var found = (await alice.Get($"{path}?user_id={ApiClient.Esc(bob.UserId)}")).Ok();
        Assert.Equal([room], found["joined"].Items().Select(r => r.GetString()));
        Assert.Equal(1, found["count"].GetInt32());
        Assert.Empty((await alice.Get($"{path}?user_id=%40nobody%3Aexample.org")).Ok()["joined"].Items());
        (await alice.Get($"{path}?user_id={ApiClient.Esc(alice.UserId)}")).Refused(400, "M_INVALID_PARAM");
        (await alice.Get($"{path}?user_id=bob")).Refused(400, "M_INVALID_PARAM");
        (await alice.Get(path)).Refused(400, "M_MISSING_PARAM");
        var unstable = (await alice.Get($"/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms?user_id={ApiClient.Esc(bob.UserId)}")).Ok();
        Assert.Equal([room], unstable["joined"].Items().Select(r => r.GetString()));
    }

    [Fact]
    public async Task The_event_nearest_to_a_time_is_found_in_both_directions()
    {
        var (alice, room) = await server.UserInRoom();
        var first = await alice.Say(room, "a");
        var ts = (await alice.Event(room, first.EventId)).At("origin_server_ts").GetInt64();
        while (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() < ts + 5)
            await alice.Event(room, first.EventId);
        var last = await alice.Say(room, "b");
        var path = $"/_matrix/client/v1/rooms/{ApiClient.Esc(room)}/timestamp_to_event";
        Assert.Equal(last.EventId, (await alice.Get($"{path}?dir=f&ts={ts + 1}")).Ok().String("event_id"));
        var before = (await alice.Get($"{path}?dir=b&ts={ts + 1}")).Ok();
        Assert.Equal(first.EventId, before.String("event_id"));
        Assert.Equal(ts, before["origin_server_ts"].GetInt64());
        (await alice.Get($"{path}?dir=b&ts=1")).Refused(404, "M_NOT_FOUND");
        (await alice.Get($"{path}?dir=f")).Refused(400, "M_MISSING_PARAM");
        (await (await server.NewUser()).Get($"{path}?dir=f&ts=1")).Refused(403, "M_FORBIDDEN");
    }

    static Task<string> Space(User user) => user.CreateRoom(new { preset = "public_chat", creation_content = new { type = "m.space" } });

    static Task<Sent> Child(User user, string space, string child, string? order = null, bool suggested = false) => user.SetState(
        space, "m.space.child", order is null ? new { via = new[] { "example.org" }, suggested } : new { via = new[] { "example.org" }, suggested, order }, child);

    static Task<Reply> Ask(User user, string space, string query = "") => user.Get($"/_matrix/client/v1/rooms/{ApiClient.Esc(space)}/hierarchy?{query}");

    static async Task<Reply> Hierarchy(User user, string space, string query = "") => (await Ask(user, space, query)).Ok();

    static IEnumerable<string> Rooms(Reply reply) => reply["rooms"].Items().Select(room => room.String("room_id"));
}
