using Matrix.Federation.Tests.Harness;

namespace Matrix.Federation.Tests.Joins;

/// <summary>Inviting users of another server.</summary>
public sealed class InviteTests(FederatedServers servers)
{
    MatrixServer First => servers.First;

    MatrixServer Second => servers.Second;

    [Theory, InlineData("5"), InlineData("10"), InlineData("11"), InlineData("12")]
    public async Task An_invited_user_sees_what_the_room_is_and_joins(string version)
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var before = (await bob.Sync()).NextBatch;
        var room = await alice.CreateRoom(new { name = "Secret", room_version = version });

        await alice.Invite(room, bob);

        var shown = (await bob.SyncUntil(s => s.Invited(room) is not null, before)).Invited(room)!.Value.Shown("invite_state");
        Assert.Equal("Secret", shown.Name());
        Assert.Equal("invite", shown.Membership(bob.UserId));
        Assert.Contains(shown, e => e.String("type") == "m.room.create");
        Assert.Equal("join", shown.Membership(alice.UserId));
        Assert.Equal("Secret", (await bob.Sync()).Invited(room)!.Value.Shown("invite_state").Name());
        await bob.Join(room);
        Assert.Equal("join", (await alice.GetState(room, "m.room.member", bob.UserId)).String("membership"));
        Assert.Null((await bob.Sync()).Invited(room));
    }

    [Fact]
    public async Task An_invite_shows_in_sliding_sync()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var room = await alice.CreateRoom(new { name = "Secret" });
        await alice.Invite(room, bob);

        var sync = (await bob.Post("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
            new { lists = new { all = new { ranges = new[] { new[] { 0, 10 } }, timeline_limit = 1, required_state = Array.Empty<string[]>() } } })).Ok();

        var shown = sync.Json.At("rooms").At(room).At("invite_state").Items();
        Assert.Equal("Secret", shown.Name());
        Assert.Equal("invite", shown.Membership(bob.UserId));
    }

    [Fact]
    public async Task A_server_that_the_room_denies_invites_nobody_of_ours_to_it()
    {
        await using var remote = await servers.NewRemote();
        var (alice, bob) = (await First.NewUser(), await First.NewUser());
        var (open, closed) = (await alice.CreateRoom(new { room_version = "10" }), await alice.CreateRoom(new { room_version = "10" }));
        await alice.SetState(closed, "m.room.server_acl", new { allow = new[] { "*" }, deny = new[] { "localhost" } });

        (await RemoteRoom.SendInvite(remote, First, RemoteRoom.BuildInvite(remote, bob, "10", room: open), [])).Ok();
        (await RemoteRoom.SendInvite(remote, First, RemoteRoom.BuildInvite(remote, bob, "10", room: closed), [])).Refused(403, "M_FORBIDDEN");
        (await remote.Put(First, $"/_matrix/federation/v1/invite/{Abroad.Esc(closed)}/$x", new { })).Refused(403, "M_FORBIDDEN");
        var exchange = new { type = "m.room.member", room_id = closed, sender = alice.UserId, state_key = $"@eve:{remote.Name}",
            content = new { membership = "invite", third_party_invite = new { display_name = "e" } } };
        (await remote.Put(First, $"/_matrix/federation/v1/exchange_third_party_invite/{Abroad.Esc(closed)}", exchange)).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task An_invite_is_turned_down()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var room = await alice.CreateRoom();
        await alice.Invite(room, bob);
        var before = (await bob.SyncUntil(s => s.Invited(room) is not null)).NextBatch;

        await bob.Leave(room);

        Assert.Equal("leave", (await alice.GetState(room, "m.room.member", bob.UserId)).String("membership"));
        var left = await bob.SyncUntil(s => s.Left(room) is not null, before);
        Assert.Equal("leave", left.Timeline(room).Membership(bob.UserId));
        var fresh = await bob.Sync();
        Assert.Null(fresh.Invited(room));
        (await bob.Post($"/_matrix/client/v3/rooms/{Abroad.Esc(room)}/forget")).Ok();
    }

    [Fact]
    public async Task An_invite_is_turned_down_though_its_server_is_gone()
    {
        var bob = await Second.NewUser();
        await using var gone = await servers.NewRemote();
        var invite = await RemoteRoom.Invite(gone, Second, bob);
        var before = (await bob.SyncUntil(s => s.Invited(invite.Room) is not null)).NextBatch;
        await gone.DisposeAsync();

        await bob.Leave(invite.Room);

        Assert.Equal("leave", (await bob.SyncUntil(s => s.Left(invite.Room) is not null, before)).Timeline(invite.Room).Membership(bob.UserId));
        Assert.Null((await bob.Sync()).Invited(invite.Room));
    }

    [Fact]
    public async Task A_room_is_created_with_users_of_other_servers_invited()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());

        var room = await alice.CreateRoom(new { preset = "trusted_private_chat", is_direct = true, invite = new[] { bob.UserId, $"@nobody:{Second.ServerName}" } });

        var shown = (await bob.SyncUntil(s => s.Invited(room) is not null)).Invited(room)!.Value.Shown("invite_state");
        Assert.True(shown.Last(e => e.String("type") == "m.room.member" && e.String("state_key") == bob.UserId).At("content.is_direct").GetBoolean());
    }

    [Fact]
    public async Task Who_does_not_exist_or_is_in_the_room_is_not_invited()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var room = await alice.CreatePublicRoom();
        await bob.JoinBy(First, room);

        (await alice.TryInvite(room, bob.UserId)).Refused(403, "M_FORBIDDEN");
        (await alice.TryInvite(room, $"@nobody:{Second.ServerName}")).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task An_invite_that_names_a_wrong_version_keeps_nobody_out_of_the_room()
    {
        var (alice, bob, carol) = (await First.NewUser(), await Second.NewUser(), await Second.NewUser());
        await using var liar = await servers.NewRemote();
        var open = new { preset = "public_chat", room_version = "10" };
        var rooms = new[] { await alice.CreateRoom(open), await alice.CreateRoom(open) };
        foreach (var room in rooms)
            (await RemoteRoom.SendInvite(liar, Second, RemoteRoom.BuildInvite(liar, bob, "3", room: room), [])).Ok();

        await carol.JoinBy(First, rooms[0]);
        Assert.True((await carol.Sync()).Joined(rooms[0]) is not null);
        await alice.Invite(rooms[0], bob);
        await bob.Join(rooms[0]);

        // an invite stands until it is answered: another server's word does not take it away
        Assert.NotEqual(System.Net.HttpStatusCode.OK, (await alice.TryInvite(rooms[1], bob.UserId)).Status);
        await bob.Leave(rooms[1]);
        await alice.Invite(rooms[1], bob);
        await bob.SyncUntil(sync => sync.Invited(rooms[1]) is not null);
        await bob.Join(rooms[1]);
        await bob.Say(rooms[1], "so I am here");
        await alice.SyncUntil(sync => sync.HasMessage(rooms[1], "so I am here"));
    }

    [Fact]
    public async Task Nobody_is_flooded_with_invites_by_other_servers()
    {
        await using var remote = await servers.NewRemote();
        var bob = await First.NewUser();
        for (var i = 0; i < FederatedServers.InvitesOfOneUser; i++)
            await RemoteRoom.Invite(remote, First, bob);
        (await RemoteRoom.SendInvite(remote, First, RemoteRoom.BuildInvite(remote, bob, "10"), [])).Refused(429, "M_LIMIT_EXCEEDED");
    }

    [Fact]
    public async Task Who_has_no_account_any_more_is_not_invited()
    {
        await using var remote = await servers.NewRemote();
        var bob = await Second.NewUser();
        var auth = new { type = "m.login.password", identifier = new { type = "m.id.user", user = bob.UserId }, password = bob.Password };
        (await bob.Post("/_matrix/client/v3/account/deactivate", new { auth })).Ok();
        (await RemoteRoom.SendInvite(remote, Second, RemoteRoom.BuildInvite(remote, bob, "10"), [])).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task A_forged_invite_is_refused()
    {
        var bob = await Second.NewUser();
        await using var liar = await servers.NewRemote();
        var good = RemoteRoom.BuildInvite(liar, bob, "10");

        foreach (var spoiled in new[]
        {
            RemoteRoom.BuildInvite(liar, bob, "10", sender: First.ServerName), // whose key it is not
            RemoteRoom.BuildInvite(liar, bob, "10", membership: "join"),
            RemoteRoom.BuildInvite(liar, bob, "10", type: "m.room.message"),
            RemoteRoom.BuildInvite(liar, bob, "10", target: $"@bob:{First.ServerName}"),
        })
        {
            var reply = await RemoteRoom.SendInvite(liar, Second, spoiled, []);
            Assert.Equal("M_INVALID_PARAM", reply.Errcode);
        }
        (await RemoteRoom.SendInvite(liar, Second, good, [], version: "99")).Refused(400, "M_INCOMPATIBLE_ROOM_VERSION");
        Assert.Empty((await bob.Sync()).Json.Find("rooms.invite")?.EnumerateObject().ToList() ?? []);
    }
}
