using System.Text.Json;

namespace Matrix.ClientApi.Tests.Rooms;

public sealed class CreateRoomTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3";

    [Theory]
    [InlineData("private_chat", "invite", "can_join")]
    [InlineData("trusted_private_chat", "invite", "can_join")]
    [InlineData("public_chat", "public", "forbidden")]
    public async Task A_preset_decides_who_may_join(string preset, string joinRule, string guestAccess)
    {
        var alice = await server.NewUser();
        var room = await alice.CreateRoom(new { preset });
        Assert.Equal(joinRule, (await alice.GetState(room, "m.room.join_rules")).At("join_rule").GetString());
        Assert.Equal(guestAccess, (await alice.GetState(room, "m.room.guest_access")).At("guest_access").GetString());
        Assert.Equal("shared", (await alice.GetState(room, "m.room.history_visibility")).At("history_visibility").GetString());
        Assert.Equal("join", (await alice.GetState(room, "m.room.member", alice.UserId)).At("membership").GetString());
    }

    [Fact]
    public async Task A_published_room_without_a_preset_is_public()
    {
        var alice = await server.NewUser();
        var room = await alice.CreateRoom(new { visibility = "public" });
        Assert.Equal("public", (await alice.GetState(room, "m.room.join_rules")).At("join_rule").GetString());
    }

    [Fact]
    public async Task A_room_has_version_12_unless_asked_otherwise_and_is_named_by_its_create_event()
    {
        var alice = await server.NewUser();
        var room = await alice.CreateRoom();
        Assert.DoesNotContain(':', room);
        var create = (await AllState(alice, room)).Single(e => e.At("type").GetString() == "m.room.create");
        Assert.Equal("$" + room[1..], create.At("event_id").GetString());
        Assert.Equal("12", create.At("content.room_version").GetString());
        Assert.Null((await alice.GetState(room, "m.room.power_levels")).Find("users." + alice.UserId));
    }

    [Theory]
    [InlineData("10")]
    [InlineData("11")]
    public async Task A_room_of_an_older_version_gives_its_creator_power_100(string version)
    {
        var alice = await server.NewUser();
        var room = await alice.CreateRoom(new { room_version = version });
        Assert.EndsWith(":" + server.ServerName, room, StringComparison.Ordinal);
        var levels = await alice.GetState(room, "m.room.power_levels");
        Assert.Equal(100, levels.At("users").GetProperty(alice.UserId).GetInt32());
        var create = await alice.GetState(room, "m.room.create");
        Assert.Equal(version, create.At("room_version").GetString());
        Assert.Equal(version == "10", create.TryGetProperty("creator", out _));
    }

    [Fact]
    public async Task Name_topic_state_and_overrides_are_in_the_new_room()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreateRoom(new
        {
            name = "The pub",
            topic = "Happy hour",
            is_direct = true,
            invite = new[] { bob.UserId },
            creation_content = new { type = "m.space", creator = "@nobody:nowhere" },
            initial_state = new object[]
            {
                new { type = "m.room.name", content = new { name = "overwritten" } },
                new { type = "m.room.history_visibility", state_key = "", content = new { history_visibility = "joined" } },
                new { type = "org.example", state_key = "k", content = new { a = 1 } },
            },
            power_level_content_override = new { events_default = 25 },
        });
        Assert.Equal("The pub", (await alice.GetState(room, "m.room.name")).At("name").GetString());
        Assert.Equal("Happy hour", (await alice.GetState(room, "m.room.topic")).At("topic").GetString());
        Assert.Equal("joined", (await alice.GetState(room, "m.room.history_visibility")).At("history_visibility").GetString());
        Assert.Equal(1, (await alice.GetState(room, "org.example", "k")).At("a").GetInt32());
        Assert.Equal(25, (await alice.GetState(room, "m.room.power_levels")).At("events_default").GetInt32());
        Assert.Equal("m.space", (await alice.GetState(room, "m.room.create")).At("type").GetString());
        Assert.Null((await alice.GetState(room, "m.room.create")).Find("creator"));
        var invite = await alice.GetState(room, "m.room.member", bob.UserId);
        Assert.Equal("invite", invite.At("membership").GetString());
        Assert.True(invite.At("is_direct").GetBoolean());
    }

    [Theory]
    [InlineData("11")]
    [InlineData("12")]
    public async Task In_a_trusted_private_chat_the_invited_are_as_powerful_as_the_creator(string version)
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreateRoom(new { preset = "trusted_private_chat", room_version = version, invite = new[] { bob.UserId } });
        await bob.Join(room);
        var users = version == "12" ? [] : new Dictionary<string, int> { [alice.UserId] = 100, [bob.UserId] = 100 };
        await bob.SetState(room, "m.room.power_levels", new { users, events_default = 3 });
        Assert.Equal(3, (await alice.GetState(room, "m.room.power_levels")).At("events_default").GetInt32());
        var creators = (await alice.GetState(room, "m.room.create")).Find("additional_creators");
        Assert.Equal(version == "12" ? [bob.UserId] : [], creators?.EnumerateArray().Select(c => c.GetString()) ?? []);
    }

    [Fact]
    public async Task Refusals_say_what_is_wrong()
    {
        var alice = await server.NewUser();
        (await alice.Post($"{V3}/createRoom", new { room_version = "nonsense" })).Refused(400, "M_UNSUPPORTED_ROOM_VERSION");
        (await alice.Post($"{V3}/createRoom", new { preset = "nonsense" })).Refused(400, "M_INVALID_PARAM");
        (await alice.Post($"{V3}/createRoom", new { visibility = "nonsense" })).Refused(400, "M_INVALID_PARAM");
        (await alice.Post($"{V3}/createRoom", new { name = 5 })).Refused(400, "M_BAD_JSON");
        (await alice.Post($"{V3}/createRoom", new { invite = new[] { "nonsense" } })).Refused(400, "M_BAD_JSON");
        (await alice.Post($"{V3}/createRoom", "not json")).Refused(400, "M_NOT_JSON");
        (await alice.Post($"{V3}/createRoom", new { power_level_content_override = new { users = 7 } })).Refused(400, "M_INVALID_ROOM_STATE");
        (await alice.Post($"{V3}/createRoom", new { room_alias_name = "a:b" })).Refused(400, "M_INVALID_PARAM");
        (await alice.Post($"{V3}/createRoom", new { initial_state = new[] { new { type = "m.room.create", state_key = "", content = new { } } } }))
            .Refused(400, "M_INVALID_ROOM_STATE");
        (await alice.Post($"{V3}/createRoom", new { invite_3pid = new[] { new { medium = "email", address = "a@b.example", id_server = "x" } } }))
            .Refused(403, "M_THREEPID_DENIED");
        (await server.Anonymous.Post($"{V3}/createRoom")).Refused(401, "M_MISSING_TOKEN");
    }

    [Fact]
    public async Task An_alias_leads_to_its_room_and_can_be_given_once()
    {
        var alice = await server.NewUser();
        var name = $"pub-{Guid.NewGuid():N}";
        var room = await alice.CreateRoom(new { room_alias_name = name });
        var alias = $"#{name}:{server.ServerName}";
        Assert.Equal(alias, (await alice.GetState(room, "m.room.canonical_alias")).At("alias").GetString());
        Assert.Equal(room, (await server.Anonymous.Get($"{V3}/directory/room/{ApiClient.Esc(alias)}")).Ok().String("room_id"));
        (await alice.Post($"{V3}/createRoom", new { room_alias_name = name })).Refused(400, "M_ROOM_IN_USE");
    }

    static async Task<JsonElement[]> AllState(User user, string room) =>
        [.. (await user.Get($"{V3}/rooms/{ApiClient.Esc(room)}/state")).Ok().Json.EnumerateArray()];
}
