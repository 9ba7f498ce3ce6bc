namespace Matrix.ClientApi.Tests.Peeking;

/// <summary>A look into rooms that one is not in (Client-Server API, Room previews).</summary>
public sealed class PeekingTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3";

    [Fact]
    public async Task Somebody_who_is_not_in_a_room_sees_what_everybody_may_see_and_hears_what_is_said()
    {
        var (alice, carol) = (await server.NewUser(), await server.NewUser());
        var room = await WorldReadable(alice);
        await alice.Say(room, "before");
        var seen = (await carol.Get($"{V3}/rooms/{ApiClient.Esc(room)}/initialSync?limit=5")).Ok();
        Assert.Equal("before", seen["messages"].At("chunk").Items().Bodies().Single());
        Assert.Null(seen.Json.Find("membership"));
        Assert.Contains(seen["state"].Items(), e => e.String("type") == "m.room.history_visibility");

        var events = $"{V3}/events?room_id={ApiClient.Esc(room)}&from={seen.String("messages.end")}";
        var waiting = carol.Get($"{events}&timeout=20000");
        var said = await alice.Say(room, "after");
        var heard = (await waiting).Ok();
        Assert.Equal(["after"], heard["chunk"].Items().Bodies());
        Assert.Empty((await carol.Get($"{V3}/events?room_id={ApiClient.Esc(room)}&from={heard.String("end")}&timeout=1")).Ok()["chunk"].Items());
        Assert.Equal("after", (await carol.Get($"{V3}/events/{ApiClient.Esc(said.EventId)}")).Ok()["content"].String("body"));

        await alice.SetState(room, "m.room.history_visibility", new { history_visibility = "joined" });
        (await carol.Get($"{events}&timeout=1")).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task A_private_room_shows_nothing_to_strangers()
    {
        var (alice, room) = await server.UserInRoom();
        var said = await alice.Say(room, "secret");
        var carol = await server.NewUser();
        (await carol.Get($"{V3}/rooms/{ApiClient.Esc(room)}/initialSync")).Refused(403, "M_FORBIDDEN");
        (await carol.Get($"{V3}/events?room_id={ApiClient.Esc(room)}")).Refused(403, "M_FORBIDDEN");
        (await carol.Get($"{V3}/events/{ApiClient.Esc(said.EventId)}")).Refused(404, "M_NOT_FOUND");
        (await carol.Get($"{V3}/events")).Refused(400, "M_MISSING_PARAM");
        Assert.Equal("join", (await alice.Get($"{V3}/rooms/{ApiClient.Esc(room)}/initialSync")).Ok().String("membership"));
    }

    [Fact]
    public async Task A_guest_may_look_too()
    {
        var alice = await server.NewUser();
        var room = await WorldReadable(alice);
        await alice.Say(room, "welcome");
        var guest = server.As((await server.Anonymous.Post($"{V3}/register?kind=guest")).Ok());
        Assert.Equal(["welcome"], (await guest.Get($"{V3}/rooms/{ApiClient.Esc(room)}/initialSync")).Ok()["messages"].At("chunk").Items().Bodies());
    }

    [Fact]
    public async Task A_guest_becomes_a_user_and_stays_in_the_rooms()
    {
        var alice = await server.NewUser();
        var room = await alice.CreateRoom(new
        {
            preset = "public_chat",
            initial_state = new[] { new { type = "m.room.guest_access", state_key = "", content = new { guest_access = "can_join" } } },
        });
        var login = (await server.Anonymous.Post($"{V3}/register?kind=guest")).Ok();
        var guest = server.As(login);
        (await guest.Post($"{V3}/rooms/{ApiClient.Esc(room)}/join")).Ok();
        (await guest.Post($"{V3}/createRoom")).Refused(403, "M_GUEST_ACCESS_FORBIDDEN");

        var name = login.String("user_id")[1..login.String("user_id").IndexOf(':', StringComparison.Ordinal)];
        var body = new { username = name, password = "correct horse battery staple", guest_access_token = login.String("access_token"), auth = new { type = "m.login.dummy" } };
        (await server.Anonymous.Post($"{V3}/register", body with { username = "somebody-else" })).Refused(403, "M_FORBIDDEN");
        (await server.Anonymous.Post($"{V3}/register", body with { guest_access_token = alice.AccessToken! })).Refused(403, "M_FORBIDDEN");
        var upgraded = server.As((await server.Anonymous.Post($"{V3}/register", body)).Ok());
        (await upgraded.Post($"{V3}/createRoom")).Ok();
        Assert.False((await guest.Get($"{V3}/account/whoami")).Ok()["is_guest"].GetBoolean());
        Assert.Contains((await upgraded.Get($"{V3}/joined_rooms")).Ok()["joined_rooms"].Items(), id => id.GetString() == room);
    }

    [Fact]
    public async Task The_old_first_sync_has_rooms_invites_and_account_data()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var other = await alice.CreateRoom();
        await alice.Invite(other, bob);
        await alice.Say(room, "hi");
        var old = (await bob.Get($"{V3}/initialSync?limit=3")).Ok();
        var rooms = old["rooms"].Items().ToDictionary(r => r.String("room_id"));
        Assert.Equal(["hi"], rooms[room].At("messages").At("chunk").Items().Bodies());
        Assert.Equal(("invite", bob.UserId), (rooms[other].String("membership"), rooms[other].At("invite").String("state_key")));
        Assert.Contains(old["account_data"].Items(), e => e.String("type") == "m.push_rules");
        await bob.Sync(old.String("end"));
    }

    static Task<string> WorldReadable(User owner) => owner.CreateRoom(new
    {
        preset = "public_chat",
        initial_state = new[] { new { type = "m.room.history_visibility", state_key = "", content = new { history_visibility = "world_readable" } } },
    });
}
