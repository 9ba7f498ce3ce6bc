namespace Matrix.ClientApi.Tests.Rooms;

public sealed class UpgradeTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3";

    [Theory]
    [InlineData("10", "12")]
    [InlineData("12", "11")]
    public async Task An_upgraded_room_goes_on_under_its_name_and_alias(string from, string to)
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var name = $"up-{Guid.NewGuid():N}";
        var old = await alice.CreateRoom(new
        {
            preset = "public_chat",
            visibility = "public",
            room_version = from,
            name = "The pub",
            room_alias_name = name,
            creation_content = new { type = "m.space" },
        });
        await bob.Join(old);
        (await Upgrade(bob, old, to)).Refused(403, "M_FORBIDDEN");
        (await Upgrade(alice, old, "nonsense")).Refused(400, "M_UNSUPPORTED_ROOM_VERSION");

        var next = (await Upgrade(alice, old, to)).Ok().String("replacement_room");

        Assert.Equal(next, (await alice.GetState(old, "m.room.tombstone")).At("replacement_room").GetString());
        var create = await alice.GetState(next, "m.room.create");
        Assert.Equal(to, create.At("room_version").GetString());
        Assert.Equal(old, create.At("predecessor.room_id").GetString());
        Assert.Equal("m.space", create.At("type").GetString());
        Assert.Equal("The pub", (await alice.GetState(next, "m.room.name")).At("name").GetString());
        Assert.Equal("public", (await alice.GetState(next, "m.room.join_rules")).At("join_rule").GetString());
        Assert.Equal(next, (await alice.Get($"{V3}/directory/room/{ApiClient.Esc($"#{name}:{server.ServerName}")}")).Ok().String("room_id"));
        Assert.Equal("private", (await alice.Get($"{V3}/directory/list/room/{ApiClient.Esc(old)}")).Ok().String("visibility"));
        Assert.Equal("public", (await alice.Get($"{V3}/directory/list/room/{ApiClient.Esc(next)}")).Ok().String("visibility"));
        (await bob.TrySend(old, "m.room.message", User.Text("anybody here?"))).Refused(403, "M_FORBIDDEN");
        await bob.Join(next);
        await bob.Say(next, "here we are");
        await alice.SetState(next, "m.room.name", new { name = "The new pub" });
    }

    [Fact]
    public async Task What_users_had_set_for_a_room_goes_on_when_they_come_to_its_successor_and_who_was_banned_stays_out()
    {
        var (alice, bob, old) = await server.TwoUsersInRoom();
        var eve = await server.NewUser();
        await alice.SetState(old, "m.room.join_rules", new { join_rule = "public" });
        await eve.Join(old);
        (await alice.Post($"{V3}/rooms/{ApiClient.Esc(old)}/ban", new { user_id = eve.UserId, reason = "spam" })).Ok();
        foreach (var user in new[] { alice, bob })
        {
            (await user.Put($"{Of(user)}/rooms/{ApiClient.Esc(old)}/tags/m.favourite", new { order = 0.5 })).Ok();
            (await user.Put($"{V3}/pushrules/global/room/{ApiClient.Esc(old)}", new { actions = Array.Empty<string>() })).Ok();
        }
        (await bob.Put($"{Of(bob)}/account_data/m.direct", new Dictionary<string, string[]> { [alice.UserId] = ["!other:test.example", old] })).Ok();

        var next = (await Upgrade(alice, old, "12")).Ok().String("replacement_room");
        await bob.Join(next);
        await bob.Join(next);
        foreach (var user in new[] { alice, bob })
        {
            Assert.Equal(0.5, (await user.Get($"{Of(user)}/rooms/{ApiClient.Esc(next)}/tags")).Ok()["tags"].GetProperty("m.favourite").At("order").GetDouble());
            Assert.Equal(0, (await user.Get($"{V3}/pushrules/global/room/{ApiClient.Esc(next)}")).Ok()["actions"].GetArrayLength());
        }
        var direct = (await bob.Get($"{Of(bob)}/account_data/m.direct")).Ok().Json.GetProperty(alice.UserId);
        Assert.Equal(["!other:test.example", old, next], direct.Items().Select(room => room.GetString()));
        Assert.Equal("spam", (await alice.GetState(next, "m.room.member", eve.UserId)).String("reason"));
        (await eve.Post($"{V3}/join/{ApiClient.Esc(next)}")).Refused(403, "M_FORBIDDEN");

        // a room that only claims to follow takes nothing over
        var liar = await eve.CreateRoom(new { preset = "public_chat", creation_content = new { predecessor = new { room_id = old } } });
        await bob.Join(liar);
        Assert.Equal("{}", (await bob.Get($"{Of(bob)}/rooms/{ApiClient.Esc(liar)}/tags")).Ok()["tags"].GetRawText());
    }

    [Fact]
    public async Task An_upgraded_space_keeps_its_children_and_a_new_room_may_have_more_creators()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var space = await alice.CreateRoom(new { creation_content = new { type = "m.space" } });
        var (child, gone) = (await alice.CreateRoom(), await alice.CreateRoom());
        await alice.SetState(space, "m.space.child", new { via = new[] { server.ServerName }, order = "a" }, child);
        await alice.SetState(space, "m.space.child", new { }, gone);
        var next = (await alice.Post($"{V3}/rooms/{ApiClient.Esc(space)}/upgrade", new { new_version = "12", additional_creators = new[] { bob.UserId } })).Ok()
            .String("replacement_room");
        Assert.Equal("a", (await alice.GetState(next, "m.space.child", child)).String("order"));
        (await alice.Get($"{V3}/rooms/{ApiClient.Esc(next)}/state/m.space.child/{ApiClient.Esc(gone)}")).Refused(404, "M_NOT_FOUND");
        Assert.Equal([bob.UserId], (await alice.GetState(next, "m.room.create")).At("additional_creators").Items().Select(user => user.GetString()));
    }

    static string Of(User user) => $"{V3}/user/{ApiClient.Esc(user.UserId)}";

    static Task<Reply> Upgrade(User user, string room, string version) =>
        user.Post($"{V3}/rooms/{ApiClient.Esc(room)}/upgrade", new { new_version = version });
}
