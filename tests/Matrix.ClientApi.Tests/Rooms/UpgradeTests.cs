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

    static Task<Reply> Upgrade(User user, string room, string version) =>
        user.Post($"{V3}/rooms/{ApiClient.Esc(room)}/upgrade", new { new_version = version });
}
