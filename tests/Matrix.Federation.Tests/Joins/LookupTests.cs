using Matrix.Federation.Tests.Harness;

namespace Matrix.Federation.Tests.Joins;

/// <summary>What is asked of other servers about their users and rooms.</summary>
public sealed class LookupTests(FederatedServers servers)
{
    MatrixServer First => servers.First;

    MatrixServer Second => servers.Second;

    [Fact]
    public async Task Profiles_are_looked_up_at_their_server()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        (await alice.Put($"/_matrix/client/v3/profile/{Abroad.Esc(alice.UserId)}/displayname", new { displayname = "Alice of the first" })).Ok();

        Assert.Equal("Alice of the first", (await bob.Get($"/_matrix/client/v3/profile/{Abroad.Esc(alice.UserId)}")).Ok().String("displayname"));
        Assert.Equal("Alice of the first", (await bob.Get($"/_matrix/client/v3/profile/{Abroad.Esc(alice.UserId)}/displayname")).Ok().String("displayname"));
        (await bob.Get($"/_matrix/client/v3/profile/{Abroad.Esc("@nobody:" + First.ServerName)}")).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task Aliases_are_looked_up_at_their_server()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var name = $"a{Guid.NewGuid():N}";
        var room = await alice.CreateRoom(new { room_alias_name = name });

        var found = (await bob.Get($"/_matrix/client/v3/directory/room/{Abroad.Esc($"#{name}:{First.ServerName}")}")).Ok();

        Assert.Equal(room, found.String("room_id"));
        Assert.Contains(found["servers"].Items(), server => server.GetString() == First.ServerName);
    }

    [Fact]
    public async Task The_directory_of_another_server_is_searched()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var name = $"Public {Guid.NewGuid():N}";
        var room = await alice.CreateRoom(new { preset = "public_chat", visibility = "public", name });

        var found = (await bob.Post($"/_matrix/client/v3/publicRooms?server={First.ServerName}", new { filter = new { generic_search_term = name } })).Ok();

        Assert.Equal(room, Assert.Single(found["chunk"].Items()).String("room_id"));
        Assert.NotEmpty((await bob.Get($"/_matrix/client/v3/publicRooms?server={First.ServerName}")).Ok()["chunk"].Items());
    }

    [Fact]
    public async Task A_directory_is_not_shown_to_other_servers_unless_the_configuration_says_so()
    {
        await using var remote = await servers.NewRemote();
        (await remote.Get(Second, "/_matrix/federation/v1/publicRooms")).Refused(403, "M_FORBIDDEN");
        (await remote.Post(Second, "/_matrix/federation/v1/publicRooms", new { })).Refused(403, "M_FORBIDDEN");
        (await remote.Get(First, "/_matrix/federation/v1/publicRooms?limit=1")).Ok();
    }

    [Fact]
    public async Task A_space_is_walked_across_servers()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var open = await alice.CreateRoom(new { preset = "public_chat", name = "Open" });
        var secret = await alice.CreateRoom(new { name = "Hidden" });
        var inner = await alice.CreateRoom(new { preset = "public_chat", name = "Inner", creation_content = new { type = "m.space" } });
        await alice.SetState(inner, "m.space.child", new { via = new[] { First.ServerName } }, open);
        var space = await bob.CreateRoom(new { name = "Space", creation_content = new { type = "m.space" } });
        foreach (var child in new[] { inner, secret })
            await bob.SetState(space, "m.space.child", new { via = new[] { First.ServerName } }, child);

        var rooms = (await bob.Get($"/_matrix/client/v1/rooms/{Abroad.Esc(space)}/hierarchy")).Ok()["rooms"].Items();

        Assert.Equal(["Space", "Inner", "Open"], rooms.Select(room => room.String("name")));
        var summary = (await bob.Get($"/_matrix/client/v1/room_summary/{Abroad.Esc(open)}?via={First.ServerName}")).Ok();
        Assert.Equal(("Open", "leave"), (summary.String("name"), summary.String("membership")));
        (await bob.Get($"/_matrix/client/v1/room_summary/{Abroad.Esc(secret)}?via={First.ServerName}")).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task A_server_asks_for_a_part_of_a_profile_a_directory_or_a_space()
    {
        var alice = await First.NewUser();
        await using var remote = await servers.NewRemote();
        (await alice.Put($"/_matrix/client/v3/profile/{Abroad.Esc(alice.UserId)}/displayname", new { displayname = "Alice" })).Ok();
        (await alice.Put($"/_matrix/client/v3/profile/{Abroad.Esc(alice.UserId)}/avatar_url", new { avatar_url = "mxc://a.org/b" })).Ok();
        var name = $"Part {Guid.NewGuid():N}";
        var plain = await alice.CreateRoom(new { preset = "public_chat", visibility = "public", name });
        var space = await alice.CreateRoom(new { preset = "public_chat", visibility = "public", name, creation_content = new { type = "m.space" } });
        var other = await alice.CreateRoom(new { preset = "public_chat" });
        await alice.SetState(space, "m.space.child", new { via = new[] { First.ServerName }, suggested = true }, plain);
        await alice.SetState(space, "m.space.child", new { via = new[] { First.ServerName } }, other);

        async Task<IEnumerable<string>> Profile(string field) =>
            (await remote.Get(First, $"/_matrix/federation/v1/query/profile?user_id={Abroad.Esc(alice.UserId)}{field}")).Ok().Json.EnumerateObject().Select(member => member.Name);
        Assert.Equal(["displayname"], await Profile("&field=displayname"));
        Assert.Superset(new HashSet<string> { "avatar_url", "displayname" }, (await Profile("")).ToHashSet());
        (await remote.Get(First, "/_matrix/federation/v1/query/profile?user_id=@x:elsewhere.example")).Refused(400, "M_INVALID_PARAM");

        async Task<IEnumerable<string>> Rooms(params string?[] types) => (await remote.Post(First, "/_matrix/federation/v1/publicRooms",
            new { filter = new { generic_search_term = name, room_types = types } })).Ok()["chunk"].Items().Select(room => room.String("room_id"));
        Assert.Equal([space], await Rooms("m.space"));
        Assert.Equal([plain], await Rooms([null]));
        (await remote.Post(First, "/_matrix/federation/v1/publicRooms", new { limit = -1 })).Refused(400, "M_INVALID_PARAM");

        async Task<IEnumerable<string>> Children(string query) =>
            (await remote.Get(First, $"/_matrix/federation/v1/hierarchy/{Abroad.Esc(space)}{query}")).Ok()["children"].Items().Select(room => room.String("room_id"));
        Assert.Equal([plain], await Children("?suggested_only=true"));
        Assert.Equal(new[] { plain, other }.Order(), (await Children("?suggested_only=false")).Order());
    }

    [Fact]
    public async Task A_closed_room_of_a_space_is_shown_to_who_is_invited_to_it()
    {
        var (alice, bob, carol) = (await First.NewUser(), await Second.NewUser(), await Second.NewUser());
        var closed = await alice.CreateRoom(new { name = "Closed" });
        await alice.Invite(closed, bob);
        var space = await bob.CreateRoom(new { preset = "public_chat", name = "Space", creation_content = new { type = "m.space" } });
        await bob.SetState(space, "m.space.child", new { via = new[] { First.ServerName } }, closed);
        await carol.Join(space);

        Assert.Equal(["Space", "Closed"], await Names(bob));
        Assert.Equal(["Space"], await Names(carol));

        async Task<IEnumerable<string?>> Names(User user) =>
            (await user.Get($"/_matrix/client/v1/rooms/{Abroad.Esc(space)}/hierarchy")).Ok()["rooms"].Items().Select(room => room.String("name"));
    }

    [Fact]
    public async Task A_room_that_all_of_a_server_have_left_is_told_of_by_those_who_stayed()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var room = await alice.CreateRoom(new { preset = "public_chat", name = "Before" });
        var space = await bob.CreateRoom(new { name = "Space", creation_content = new { type = "m.space" } });
        await bob.SetState(space, "m.space.child", new { via = new[] { First.ServerName } }, room);
        await bob.JoinBy(First, room);
        await bob.Leave(room);
        await alice.SetState(room, "m.room.name", new { name = "After" });

        var rooms = (await bob.Get($"/_matrix/client/v1/rooms/{Abroad.Esc(space)}/hierarchy")).Ok()["rooms"].Items();
        Assert.Equal(["Space", "After"], rooms.Select(child => child.String("name")));
        Assert.Equal("After", (await bob.Get($"/_matrix/client/v1/rooms/{Abroad.Esc(room)}/hierarchy")).Ok()["rooms"].Items().Single().String("name"));
        // with nobody named who could tell
        Assert.Equal("After", (await bob.Get($"/_matrix/client/v1/room_summary/{Abroad.Esc(room)}")).Ok().String("name"));

        await using var remote = await servers.NewRemote();
        (await remote.Get(Second, $"/_matrix/federation/v1/hierarchy/{Abroad.Esc(room)}")).Refused(404, "M_NOT_FOUND");
        Assert.Equal("After", (await remote.Get(First, $"/_matrix/federation/v1/hierarchy/{Abroad.Esc(room)}")).Ok()["room"].String("name"));
    }

    [Fact]
    public async Task Who_holds_a_token_learns_whose_it_is()
    {
        var alice = await First.NewUser();
        await using var remote = await servers.NewRemote();
        var token = (await alice.Post($"/_matrix/client/v3/user/{Abroad.Esc(alice.UserId)}/openid/request_token", new { })).Ok().String("access_token");

        Assert.Equal(alice.UserId, (await First.Anonymous.Get($"/_matrix/federation/v1/openid/userinfo?access_token={token}")).Ok().String("sub"));
        (await First.Anonymous.Get("/_matrix/federation/v1/openid/userinfo?access_token=wrong")).Refused(401, "M_UNKNOWN_TOKEN");
    }
}
