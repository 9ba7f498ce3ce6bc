namespace Matrix.ClientApi.Tests.Rooms;

public sealed class MembershipTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3";

    [Fact]
    public async Task Nobody_joins_a_private_room_without_an_invite()
    {
        var (alice, room) = await server.UserInRoom();
        var bob = await server.NewUser();
        (await Act(bob, room, "join")).Refused(403, "M_FORBIDDEN");
        await alice.Invite(room, bob);
        Assert.Equal(room, (await Act(bob, room, "join")).Ok().String("room_id"));
        (await Act(bob, room, "join")).Ok();
        Assert.Equal("join", await Membership(alice, room, bob));
    }

    [Fact]
    public async Task A_member_event_shows_the_name_and_picture_of_the_profile()
    {
        var (alice, room) = await server.UserInRoom();
        var bob = await server.NewUser();
        (await bob.Put($"{V3}/profile/{ApiClient.Esc(bob.UserId)}/displayname", new { displayname = "Bob" })).Ok();
        await alice.Invite(room, bob);
        Assert.Equal("Bob", (await alice.GetState(room, "m.room.member", bob.UserId)).At("displayname").GetString());
        await bob.Join(room);
        Assert.Equal("Bob", (await alice.GetState(room, "m.room.member", bob.UserId)).At("displayname").GetString());
    }

    [Fact]
    public async Task A_new_name_is_shown_in_every_room_the_user_is_in()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var another = await bob.CreateRoom();
        (await bob.Put($"{V3}/profile/{ApiClient.Esc(bob.UserId)}/displayname", new { displayname = "Robert" })).Ok();
        Assert.Equal("Robert", (await alice.GetState(room, "m.room.member", bob.UserId)).At("displayname").GetString());
        Assert.Equal("Robert", (await bob.GetState(another, "m.room.member", bob.UserId)).At("displayname").GetString());
    }

    [Fact]
    public async Task An_invite_can_be_turned_down()
    {
        var (alice, room) = await server.UserInRoom();
        var bob = await server.NewUser();
        await alice.Invite(room, bob);
        (await Act(bob, room, "leave", new { reason = "no time" })).Ok();
        Assert.Equal("leave", await Membership(alice, room, bob));
        Assert.Equal("no time", (await alice.GetState(room, "m.room.member", bob.UserId)).At("reason").GetString());
        (await Act(bob, room, "join")).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task Leaving_needs_no_body_and_happens_once()
    {
        var (_, bob, room) = await server.TwoUsersInRoom();
        (await bob.Request(HttpMethod.Post, $"{V3}/rooms/{ApiClient.Esc(room)}/leave")).Ok();
        (await Act(bob, room, "leave")).Ok();
        var carol = await server.NewUser();
        (await Act(carol, room, "leave")).Refused(403, "M_FORBIDDEN");
        (await Act(carol, "!nowhere:" + server.ServerName, "leave")).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task A_room_is_forgotten_only_once_left()
    {
        var (_, bob, room) = await server.TwoUsersInRoom();
        (await Act(bob, room, "forget")).Refused(400, "M_UNKNOWN");
        await bob.Leave(room);
        (await bob.Get($"{V3}/rooms/{ApiClient.Esc(room)}/state")).Ok();
        (await Act(bob, room, "forget")).Ok();
        (await bob.Get($"{V3}/rooms/{ApiClient.Esc(room)}/state")).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task Kicks_and_bans_are_for_those_with_power()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var carol = await server.NewUser();
        await alice.Invite(room, carol);
        await carol.Join(room);

        (await Act(bob, room, "kick", new { user_id = carol.UserId })).Refused(403, "M_FORBIDDEN");
        (await Act(bob, room, "ban", new { user_id = carol.UserId })).Refused(403, "M_FORBIDDEN");
        (await Act(alice, room, "kick", new { user_id = carol.UserId, reason = "noise" })).Ok();
        Assert.Equal("leave", await Membership(alice, room, carol));
        (await Act(alice, room, "kick", new { user_id = carol.UserId })).Refused(403, "M_FORBIDDEN");

        (await Act(alice, room, "ban", new { user_id = carol.UserId, reason = "more noise" })).Ok();
        Assert.Equal("more noise", (await alice.GetState(room, "m.room.member", carol.UserId)).At("reason").GetString());
        (await Act(alice, room, "invite", new { user_id = carol.UserId })).Refused(403, "M_FORBIDDEN");
        (await Act(carol, room, "join")).Refused(403, "M_FORBIDDEN");

        (await Act(alice, room, "unban", new { user_id = carol.UserId })).Ok();
        (await Act(alice, room, "unban", new { user_id = carol.UserId })).Refused(403, "M_FORBIDDEN");
        await alice.Invite(room, carol);
        await carol.Join(room);
        (await Act(alice, room, "kick", new { })).Refused(400, "M_MISSING_PARAM");
        (await alice.TrySetState(room, "m.room.member", new { membership = 5 }, alice.UserId)).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task A_knock_waits_for_an_invite()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreateRoom(new
        {
            initial_state = new[] { new { type = "m.room.join_rules", state_key = "", content = new { join_rule = "knock" } } },
        });
        Assert.Equal(room, (await bob.Post($"{V3}/knock/{ApiClient.Esc(room)}", new { reason = "let me in" })).Ok().String("room_id"));
        Assert.Equal("knock", await Membership(alice, room, bob));
        (await Act(bob, room, "join")).Refused(403, "M_FORBIDDEN");
        await alice.Invite(room, bob);
        (await bob.Post($"{V3}/knock/{ApiClient.Esc(room)}")).Refused(403, "M_FORBIDDEN");
        await bob.Join(room);
    }

    [Fact]
    public async Task A_restricted_room_lets_in_the_members_of_another_one()
    {
        var (alice, bob, club) = await server.TwoUsersInRoom();
        var carol = await server.NewUser();
        var room = await alice.CreateRoom(new
        {
            initial_state = new[]
            {
                new
                {
                    type = "m.room.join_rules",
                    state_key = "",
                    content = new { join_rule = "restricted", allow = new[] { new { type = "m.room_membership", room_id = club } } },
                },
            },
        });
        (await Act(carol, room, "join")).Refused(403, "M_FORBIDDEN");
        (await Act(bob, room, "join")).Ok();
        Assert.Equal(alice.UserId, (await bob.GetState(room, "m.room.member", bob.UserId)).At("join_authorised_via_users_server").GetString());
        await alice.Invite(room, carol);
        await carol.Join(room);
    }

    [Fact]
    public async Task A_guest_joins_where_guests_are_let_in_and_leaves_when_they_no_longer_are()
    {
        var alice = await server.NewUser();
        var guest = await Guest();
        var closed = await alice.CreatePublicRoom();
        (await guest.Post($"{V3}/rooms/{ApiClient.Esc(closed)}/join")).Refused(403, "M_GUEST_ACCESS_FORBIDDEN");
        var open = await alice.CreateRoom(new
        {
            preset = "public_chat",
            initial_state = new[] { new { type = "m.room.guest_access", state_key = "", content = new { guest_access = "can_join" } } },
        });
        (await guest.Post($"{V3}/rooms/{ApiClient.Esc(open)}/join")).Ok();
        (await guest.Post($"{V3}/createRoom")).Refused(403, "M_GUEST_ACCESS_FORBIDDEN");

        var guestId = (await guest.Get($"{V3}/account/whoami")).Ok().String("user_id");
        Assert.Equal("join", (await alice.GetState(open, "m.room.member", guestId)).At("membership").GetString());
        await alice.SetState(open, "m.room.guest_access", new { guest_access = "forbidden" });
        Assert.Equal("leave", (await alice.GetState(open, "m.room.member", guestId)).At("membership").GetString());
        Assert.Equal("join", (await alice.GetState(open, "m.room.member", alice.UserId)).At("membership").GetString());
    }

    [Fact]
    public async Task A_deactivated_user_leaves_all_rooms()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var session = (await bob.Post($"{V3}/account/deactivate")).String("session");
        var identifier = new { type = "m.id.user", user = bob.UserId };
        (await bob.Post($"{V3}/account/deactivate", new { auth = new { type = "m.login.password", identifier, password = bob.Password, session } })).Ok();
        Assert.Equal("leave", await Membership(alice, room, bob));
    }

    async Task<ApiClient> Guest()
    {
        var reply = (await server.Anonymous.Post($"{V3}/register?kind=guest")).Ok();
        return new ApiClient(new HttpClient { BaseAddress = server.BaseUrl }, reply.String("access_token"));
    }

    static Task<Reply> Act(User user, string room, string what, object? body = null) =>
        user.Post($"{V3}/rooms/{ApiClient.Esc(room)}/{what}", body);

    static async Task<string?> Membership(User seenBy, string room, User of) =>
        (await seenBy.GetState(room, "m.room.member", of.UserId)).At("membership").GetString();
}
