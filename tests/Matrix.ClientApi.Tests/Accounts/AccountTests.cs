namespace Matrix.ClientApi.Tests.Accounts;

public sealed class AccountTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3";

    [Fact]
    public async Task A_change_of_password_needs_the_old_one_and_logs_the_other_devices_out()
    {
        var phone = await server.NewUser();
        var laptop = await phone.NewDevice();
        (await phone.Post($"{V3}/account/password", new { new_password = "new", auth = Auth(phone, "wrong") })).Refused(401, "M_FORBIDDEN");
        (await phone.Post($"{V3}/account/password", new { new_password = "new", auth = Auth(phone) })).Ok();
        (await laptop.Get($"{V3}/account/whoami")).Refused(401, "M_UNKNOWN_TOKEN");
        (await phone.Get($"{V3}/account/whoami")).Ok();
        (await Login(phone, phone.Password)).Refused(403, "M_FORBIDDEN");
        (await Login(phone, "new")).Ok();
    }

    [Fact]
    public async Task A_change_of_password_can_leave_the_other_devices_alone()
    {
        var phone = await server.NewUser();
        var laptop = await phone.NewDevice();
        (await phone.Post($"{V3}/account/password", new { new_password = "new", logout_devices = false, auth = Auth(phone) })).Ok();
        (await laptop.Get($"{V3}/account/whoami")).Ok();
    }

    [Fact]
    public async Task Another_users_password_is_no_proof()
    {
        var (alice, mallory) = (await server.NewUser(), await server.NewUser());
        (await alice.Post($"{V3}/account/password", new { new_password = "new", auth = Auth(mallory) })).Refused(401, "M_FORBIDDEN");
    }

    [Fact]
    public async Task A_proof_for_one_thing_is_none_for_another()
    {
        var alice = await server.NewUser();
        var other = await alice.NewDevice();
        var asked = await alice.Post($"{V3}/delete_devices", new { devices = new[] { "NONE" } });
        var session = asked.String("session");
        (await alice.Post($"{V3}/account/deactivate", new { auth = new { session } })).Refused(403, "M_FORBIDDEN");
        (await alice.Post($"{V3}/delete_devices", new { devices = new[] { other.DeviceId }, auth = new { session } })).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task A_deactivated_account_is_closed_and_its_name_stays_taken()
    {
        var user = await server.NewUser();
        var other = await user.NewDevice();
        var reply = await user.Post($"{V3}/account/deactivate", new { erase = true, auth = Auth(user) });
        Assert.Equal("success", reply.Ok().String("id_server_unbind_result"));
        (await user.Get($"{V3}/account/whoami")).Refused(401, "M_UNKNOWN_TOKEN");
        (await other.Get($"{V3}/account/whoami")).Refused(401, "M_UNKNOWN_TOKEN");
        (await Login(user, user.Password)).Refused(403, "M_USER_DEACTIVATED");
        (await server.Anonymous.Get($"{V3}/register/available?username={user.Localpart}")).Refused(400, "M_USER_IN_USE");
        Assert.Null((await server.Anonymous.Get($"{V3}/profile/{ApiClient.Esc(user.UserId)}")).Ok().Json.Find("displayname"));
    }

    [Fact]
    public async Task A_deactivated_user_has_left_every_room()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var pending = await alice.CreateRoom(new { invite = new[] { bob.UserId } });
        (await bob.Post($"{V3}/account/deactivate", new { auth = Auth(bob) })).Ok();
        foreach (var each in new[] { room, pending })
            Assert.Equal("leave", (await alice.GetState(each, "m.room.member", bob.UserId)).String("membership"));
    }

    [Fact]
    public async Task Devices_are_listed_named_and_deleted_with_the_password()
    {
        var phone = await server.NewUser();
        var laptop = await phone.NewDevice();
        (await phone.Put($"{V3}/devices/{laptop.DeviceId}", new { display_name = "Laptop" })).Ok();
        var listed = (await phone.Get($"{V3}/devices")).Ok()["devices"].Items();
        Assert.Contains(listed, device => device.String("device_id") == laptop.DeviceId && device.String("display_name") == "Laptop");
        Assert.Contains(listed, device => device.At("display_name").ValueKind == System.Text.Json.JsonValueKind.Null);
        Assert.All(listed, device => Assert.True(device.At("last_seen_ts").GetInt64() > 0));

        var asked = await phone.Delete($"{V3}/devices/{laptop.DeviceId}");
        Assert.Equal(401, (int)asked.Status);
        (await laptop.Get($"{V3}/account/whoami")).Ok();
        (await phone.Delete($"{V3}/devices/{laptop.DeviceId}", new { auth = Auth(phone, session: asked.String("session")) })).Ok();
        (await laptop.Get($"{V3}/account/whoami")).Refused(401, "M_UNKNOWN_TOKEN");
        (await phone.Get($"{V3}/devices/{laptop.DeviceId}")).Refused(404, "M_NOT_FOUND");
        (await phone.Put($"{V3}/devices/{laptop.DeviceId}", new { display_name = "x" })).Refused(404, "M_NOT_FOUND");
    }

    static object Auth(User user, string? password = null, string? session = null)
    {
        var identifier = new { type = "m.id.user", user = user.UserId };
        password ??= user.Password;
        return session is null
            ? new { type = "m.login.password", identifier, password }
            : new { type = "m.login.password", identifier, password, session };
    }

    Task<Reply> Login(User user, string? password) => server.Anonymous.Post(
        $"{V3}/login", new { type = "m.login.password", identifier = new { type = "m.id.user", user = user.UserId }, password });
}
