using System.Text.Json;

namespace Matrix.ClientApi.Tests.Moderation;

/// <summary>Reports, locks and suspensions (Client-Server API, Reporting content, Account moderation).</summary>
public sealed class ModerationTests(MatrixServer server)
{
    const string V1 = "/_matrix/client/v1", V3 = "/_matrix/client/v3";

    [Fact]
    public async Task Who_sees_an_event_may_report_it_and_nobody_else()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var said = await alice.Say(room, "something bad");
        (await bob.Post($"{V3}/rooms/{ApiClient.Esc(room)}/report/{ApiClient.Esc(said.EventId)}", new { reason = "bad" })).Ok();
        (await bob.Post($"{V3}/rooms/{ApiClient.Esc(room)}/report/{ApiClient.Esc(said.EventId)}", new { })).Ok();
        var stranger = await server.NewUser();
        (await stranger.Post($"{V3}/rooms/{ApiClient.Esc(room)}/report/{ApiClient.Esc(said.EventId)}", new { reason = "?" })).Refused(404, "M_NOT_FOUND");

        const string Reports = "/_synapse/admin/v1/event_reports";
        (await bob.Get(Reports)).Refused(403, "M_FORBIDDEN");
        var admin = await server.NewUser(admin: true);
        var listed = (await admin.Get($"{Reports}?room_id={ApiClient.Esc(room)}&dir=f&limit=1")).Ok();
        Assert.Equal((2, 1), (listed["total"].GetInt32(), listed["next_token"].GetInt32()));
        var first = listed["event_reports"].Items().Single();
        Assert.Equal(("bad", bob.UserId, alice.UserId, said.EventId), (first.String("reason"), first.String("user_id"), first.String("sender"), first.String("event_id")));
        var one = $"{Reports}/{first.At("id").GetInt64()}";
        Assert.Equal("bad", (await admin.Get(one)).Ok().String("reason"));
        (await admin.Delete(one)).Ok();
        (await admin.Get(one)).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task A_room_is_reported_by_anybody_and_a_user_without_learning_who_exists()
    {
        var (_, room) = await server.UserInRoom();
        var bob = await server.NewUser();
        (await bob.Post($"{V3}/rooms/{ApiClient.Esc(room)}/report", new { reason = "" })).Ok();
        (await bob.Post($"{V3}/rooms/{ApiClient.Esc("!nothing:" + server.ServerName)}/report", new { reason = "x" })).Refused(404, "M_NOT_FOUND");
        (await bob.Post($"{V3}/users/{ApiClient.Esc(bob.UserId)}/report", new { reason = "x" })).Ok();
        (await bob.Post($"{V3}/users/{ApiClient.Esc("@nobody:" + server.ServerName)}/report", new { reason = "x" })).Ok();
    }

    [Theory, InlineData("v1"), InlineData("unstable/uk.timedout.msc4323")]
    public async Task A_locked_user_can_only_log_out_and_comes_back_when_the_lock_is_lifted(string prefix)
    {
        var (admin, user) = (await server.NewUser(admin: true), await server.NewUser());
        var other = await user.NewDevice();
        var path = $"/_matrix/client/{prefix}/admin/lock/{ApiClient.Esc(user.UserId)}";
        Assert.False((await admin.Get(path)).Ok()["locked"].GetBoolean());
        Assert.True((await admin.Put(path, new { locked = true })).Ok()["locked"].GetBoolean());

        Assert.True((await user.Get($"{V3}/account/whoami")).Refused(401, "M_USER_LOCKED")["soft_logout"].GetBoolean());
        (await user.Get($"{V3}/sync")).Refused(401, "M_USER_LOCKED");
        (await server.Anonymous.Post($"{V3}/login", new { type = "m.login.password", identifier = new { type = "m.id.user", user = user.UserId }, password = user.Password }))
            .Refused(401, "M_USER_LOCKED");
        (await other.Post($"{V3}/logout")).Ok();

        (await admin.Put(path, new { locked = false })).Ok();
        (await user.Get($"{V3}/account/whoami")).Ok();
        (await other.Get($"{V3}/account/whoami")).Refused(401, "M_UNKNOWN_TOKEN");
    }

    [Fact]
    public async Task A_suspended_user_reads_leaves_and_takes_back_and_says_no_more()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var (admin, publicRoom) = (await server.NewUser(admin: true), await alice.CreatePublicRoom());
        var (his, hers) = (await bob.Say(room, "his"), await alice.Say(room, "hers"));
        await alice.SetState(room, "m.room.power_levels", new { users = new Dictionary<string, int> { [bob.UserId] = 60 } });
        var path = $"{V1}/admin/suspend/{ApiClient.Esc(bob.UserId)}";
        (await admin.Put(path, new { suspended = true })).Ok();
        Assert.True((await admin.Get(path)).Ok()["suspended"].GetBoolean());

        (await bob.TrySend(room, "m.room.message", User.Text("no"))).Refused(403, "M_USER_SUSPENDED");
        (await bob.TrySetState(room, "m.room.topic", new { topic = "no" })).Refused(403, "M_USER_SUSPENDED");
        (await bob.Post($"{V3}/join/{ApiClient.Esc(publicRoom)}")).Refused(403, "M_USER_SUSPENDED");
        (await bob.Post($"{V3}/createRoom")).Refused(403, "M_USER_SUSPENDED");
        (await bob.Post($"{V3}/rooms/{ApiClient.Esc(room)}/invite", new { user_id = admin.UserId })).Refused(403, "M_USER_SUSPENDED");
        (await bob.Put($"{V3}/profile/{ApiClient.Esc(bob.UserId)}/displayname", new { displayname = "no" })).Refused(403, "M_USER_SUSPENDED");
        (await bob.Put($"{V3}/rooms/{ApiClient.Esc(room)}/redact/{ApiClient.Esc(hers.EventId)}/t1")).Refused(403, "M_USER_SUSPENDED");
        await bob.Redact(room, his.EventId);
        await bob.Messages(room);
        await bob.Leave(room);

        (await admin.Put(path, new { suspended = false })).Ok();
        await bob.Join(publicRoom);
    }

    [Fact]
    public async Task Only_administrators_moderate_accounts_and_not_each_other()
    {
        var (admin, other, user) = (await server.NewUser(admin: true), await server.NewUser(admin: true), await server.NewUser());
        foreach (var what in new[] { "lock", "suspend" })
        {
            object body = what == "lock" ? new { locked = true } : new { suspended = true };
            (await user.Put($"{V1}/admin/{what}/{ApiClient.Esc("@nobody:" + server.ServerName)}", body)).Refused(403, "M_FORBIDDEN");
            (await user.Get($"{V1}/admin/{what}/{ApiClient.Esc(user.UserId)}")).Refused(403, "M_FORBIDDEN");
            (await admin.Put($"{V1}/admin/{what}/{ApiClient.Esc(admin.UserId)}", body)).Refused(403, "M_FORBIDDEN");
            (await admin.Put($"{V1}/admin/{what}/{ApiClient.Esc(other.UserId)}", body)).Refused(403, "M_FORBIDDEN");
            (await admin.Get($"{V1}/admin/{what}/{ApiClient.Esc("@nobody:" + server.ServerName)}")).Refused(404, "M_NOT_FOUND");
            (await admin.Get($"{V1}/admin/{what}/{ApiClient.Esc("@user:elsewhere.example")}")).Refused(400, "M_INVALID_PARAM");
        }
        Assert.Equal(JsonValueKind.Object, (await admin.Get($"{V3}/capabilities")).Ok().Json.At("capabilities").At("m.account_moderation").ValueKind);
        Assert.Null((await user.Get($"{V3}/capabilities")).Ok().Json.At("capabilities").Find("m.account_moderation"));
    }

    [Fact]
    public async Task An_administrator_sees_a_users_devices_and_others_only_their_own()
    {
        var (admin, user) = (await server.NewUser(admin: true), await server.NewUser());
        var path = $"{V3}/admin/whois/{ApiClient.Esc(user.UserId)}";
        Assert.NotNull((await admin.Get(path)).Ok()["devices"].Find(user.DeviceId));
        Assert.Equal(user.UserId, (await user.Get(path)).Ok().String("user_id"));
        (await user.Get($"{V3}/admin/whois/{ApiClient.Esc(admin.UserId)}")).Refused(403, "M_FORBIDDEN");
    }

    [Theory, InlineData("m.invite_permission_config"), InlineData("org.matrix.msc4380.invite_permission_config")]
    public async Task Who_blocks_invites_gets_none_and_sees_none(string type)
    {
        var (alice, bob) = (await server.NewUser(), await server.NewUser());
        var (early, late) = (await alice.CreateRoom(), await alice.CreateRoom());
        await alice.Invite(early, bob);
        Assert.NotNull((await bob.Sync()).Invited(early));

        var path = $"{V3}/user/{ApiClient.Esc(bob.UserId)}/account_data/{type}";
        (await bob.Put(path, new { default_action = "block" })).Ok();
        (await alice.Post($"{V3}/rooms/{ApiClient.Esc(late)}/invite", new { user_id = bob.UserId })).Refused(403, "M_INVITE_BLOCKED");
        (await alice.TrySetState(late, "m.room.member", new { membership = "invite" }, bob.UserId)).Refused(403, "M_INVITE_BLOCKED");
        (await alice.Post($"{V3}/createRoom", new { invite = new[] { bob.UserId } })).Refused(403, "M_INVITE_BLOCKED");
        Assert.Null((await bob.Sync()).Invited(early));

        (await bob.Put(path, new { })).Ok();
        await alice.Invite(late, bob);
        await bob.SyncUntil(sync => sync.Invited(late) is not null);
    }
}
