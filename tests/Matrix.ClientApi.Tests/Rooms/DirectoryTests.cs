namespace Matrix.ClientApi.Tests.Rooms;

public sealed class DirectoryTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3";

    [Fact]
    public async Task An_alias_is_made_by_a_member_listed_and_removed_by_who_made_it()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var carol = await server.NewUser();
        var alias = $"#alias-{Guid.NewGuid():N}:{server.ServerName}";
        var path = $"{V3}/directory/room/{ApiClient.Esc(alias)}";
        (await bob.Get(path)).Refused(404, "M_NOT_FOUND");
        (await carol.Put(path, new { room_id = room })).Refused(403, "M_FORBIDDEN");
        (await bob.Put(path, new { room_id = room })).Ok();
        (await bob.Put(path, new { room_id = room })).Refused(409, "M_UNKNOWN");
        var found = (await carol.Get(path)).Ok();
        Assert.Equal(room, found.String("room_id"));
        Assert.Equal(server.ServerName, found["servers"][0].GetString());

        Assert.Equal(alias, (await alice.Get($"{V3}/rooms/{ApiClient.Esc(room)}/aliases")).Ok()["aliases"][0].GetString());
        (await carol.Get($"{V3}/rooms/{ApiClient.Esc(room)}/aliases")).Refused(403, "M_FORBIDDEN");
        (await carol.Delete(path)).Refused(403, "M_FORBIDDEN");
        (await bob.Delete(path)).Ok();
        (await bob.Delete(path)).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task A_removed_alias_is_no_longer_the_canonical_one()
    {
        var alice = await server.NewUser();
        var name = $"gone-{Guid.NewGuid():N}";
        var room = await alice.CreateRoom(new { room_alias_name = name });
        (await alice.Delete($"{V3}/directory/room/{ApiClient.Esc($"#{name}:{server.ServerName}")}")).Ok();
        Assert.Null((await alice.GetState(room, "m.room.canonical_alias")).Find("alias"));
    }

    [Fact]
    public async Task A_room_is_joined_by_its_alias()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var name = $"join-{Guid.NewGuid():N}";
        var room = await alice.CreateRoom(new { preset = "public_chat", room_alias_name = name });
        Assert.Equal(room, (await bob.Post($"{V3}/join/{ApiClient.Esc($"#{name}:{server.ServerName}")}")).Ok().String("room_id"));
        (await bob.Post($"{V3}/join/{ApiClient.Esc($"#nothing-{name}:{server.ServerName}")}")).Refused(404, "M_NOT_FOUND");
        (await bob.Post($"{V3}/join/nonsense")).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task A_room_is_in_the_directory_while_it_is_published()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var path = $"{V3}/directory/list/room/{ApiClient.Esc(room)}";
        Assert.Equal("private", (await alice.Get(path)).Ok().String("visibility"));
        (await bob.Put(path, new { visibility = "public" })).Refused(403, "M_FORBIDDEN");
        (await alice.Put(path, new { visibility = "nonsense" })).Refused(400, "M_INVALID_PARAM");
        (await alice.Put(path, new { visibility = "public" })).Ok();
        Assert.Equal("public", (await alice.Get(path)).Ok().String("visibility"));
        (await alice.Get($"{V3}/directory/list/room/!nowhere")).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task The_directory_is_searched_filtered_and_paged_in_both_directions()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var word = $"word{Guid.NewGuid():N}";
        var rooms = new List<string>();
        for (var i = 0; i < 5; i++)
            rooms.Add(await alice.CreateRoom(new { visibility = "public", name = $"{i} {word.ToUpperInvariant()}", topic = "x" }));
        var space = await alice.CreateRoom(new { visibility = "public", topic = word, creation_content = new { type = "m.space" } });
        await bob.Join(rooms[3]);

        var all = await Search(bob, new { filter = new { generic_search_term = word } });
        Assert.Equal([rooms[3], .. rooms.Where(r => r != rooms[3]), space], Ids(all));
        var first = all["chunk"][0];
        Assert.Equal(2, first.At("num_joined_members").GetInt32());
        Assert.False(first.At("world_readable").GetBoolean());
        Assert.False(first.At("guest_can_join").GetBoolean());
        Assert.Equal("public", first.At("join_rule").GetString());
        Assert.Equal($"3 {word.ToUpperInvariant()}", first.At("name").GetString());

        Assert.Equal([space], Ids(await Search(bob, new { filter = new { generic_search_term = word, room_types = new[] { "m.space" } } })));
        Assert.Equal(5, Ids(await Search(bob, new { filter = new { generic_search_term = word, room_types = new string?[] { null } } })).Length);

        var filter = new { generic_search_term = word };
        var one = await Search(bob, new { limit = 4, filter });
        Assert.Null(one.Json.Find("prev_batch"));
        var two = await Search(bob, new { limit = 4, filter, since = one.String("next_batch") });
        Assert.Null(two.Json.Find("next_batch"));
        Assert.Equal(Ids(all), Ids(one).Concat(Ids(two)));
        var back = await Search(bob, new { limit = 4, filter, since = two.String("prev_batch") });
        Assert.Equal(Ids(one), Ids(back));
        Assert.True(all["total_room_count_estimate"].GetInt32() >= 6);
        (await bob.Post($"{V3}/publicRooms", new { since = "nonsense" })).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task Anybody_may_look_at_the_directory()
    {
        var alice = await server.NewUser();
        var room = await alice.CreateRoom(new { visibility = "public" });
        Assert.Contains(room, Ids((await server.Anonymous.Get($"{V3}/publicRooms?limit=500")).Ok()));
        Assert.Single(Ids((await server.Anonymous.Get($"{V3}/publicRooms?limit=1")).Ok()));
    }

    static async Task<Reply> Search(User user, object request) => (await user.Post($"{V3}/publicRooms", request)).Ok();

    static string?[] Ids(Reply reply) => [.. reply["chunk"].EnumerateArray().Select(r => r.At("room_id").GetString())];
}
