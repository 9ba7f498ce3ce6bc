namespace Matrix.ClientApi.Tests.Accounts;

public sealed class LoginTests(MatrixServer server)
{
    const string Login = "/_matrix/client/v3/login", Whoami = "/_matrix/client/v3/account/whoami";

    [Fact]
    public async Task A_user_logs_in_by_localpart_by_whole_id_and_in_the_old_form()
    {
        var user = await server.NewUser();
        foreach (var name in new[] { user.Localpart, user.UserId, user.Localpart.ToUpperInvariant() })
            Assert.Equal(user.UserId, (await Attempt(name, user.Password)).Ok().String("user_id"));
        var old = await server.Anonymous.Post(Login, new { type = "m.login.password", user = user.Localpart, password = user.Password });
        Assert.Equal(user.UserId, old.Ok().String("user_id"));
    }

    [Fact]
    public async Task A_refusal_does_not_tell_whether_the_account_exists()
    {
        var user = await server.NewUser();
        var wrong = (await Attempt(user.UserId, "wrong")).Refused(403, "M_FORBIDDEN");
        var nobody = (await Attempt("nobody-at-all", "wrong")).Refused(403, "M_FORBIDDEN");
        var elsewhere = (await Attempt($"@{user.Localpart}:elsewhere.example", user.Password)).Refused(403, "M_FORBIDDEN");
        Assert.Equal(wrong.Text, nobody.Text);
        Assert.Equal(wrong.Text, elsewhere.Text);
    }

    [Fact]
    public async Task What_cannot_log_in_is_refused_by_name()
    {
        var thirdParty = new { type = "m.id.thirdparty", medium = "email", address = "a@b.example" };
        (await server.Anonymous.Post(Login, new { type = "m.login.password", identifier = thirdParty, password = "x" })).Refused(403, "M_FORBIDDEN");
        (await server.Anonymous.Post(Login, new { type = "m.login.magic" })).Refused(400, "M_UNKNOWN");
        (await server.Anonymous.Post(Login, new { type = "m.login.password", user = "a" })).Refused(400, "M_MISSING_PARAM");
        (await server.Anonymous.Post(Login, new { user = "a" })).Refused(400, "M_MISSING_PARAM");
    }

    [Fact]
    public async Task A_login_on_a_known_device_ends_its_older_session_and_keeps_its_name()
    {
        var first = await server.NewUser();
        (await first.Put($"/_matrix/client/v3/devices/{first.DeviceId}", new { display_name = "Phone" })).Ok();
        var other = await first.NewDevice();
        var again = await first.NewDevice(first.DeviceId);
        (await first.Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
        Assert.Equal(first.DeviceId, (await again.Get(Whoami)).Ok().String("device_id"));
        Assert.Equal("Phone", (await again.Get($"/_matrix/client/v3/devices/{first.DeviceId}")).Ok().String("display_name"));
        (await other.Get(Whoami)).Ok();
    }

    [Fact]
    public async Task Logout_ends_one_session_and_logout_all_ends_every_one()
    {
        var phone = await server.NewUser();
        var (laptop, tablet) = (await phone.NewDevice(), await phone.NewDevice());
        (await phone.Post("/_matrix/client/v3/logout")).Ok();
        (await phone.Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
        Assert.Equal(2, (await laptop.Get("/_matrix/client/v3/devices")).Ok()["devices"].GetArrayLength());
        (await laptop.Post("/_matrix/client/v3/logout/all")).Ok();
        (await tablet.Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
    }

    [Fact]
    public async Task Logins_are_offered_and_a_token_is_needed()
    {
        Assert.Equal("m.login.password", (await server.Anonymous.Get(Login)).Ok()["flows"][0].String("type"));
        (await server.Anonymous.Get(Whoami)).Refused(401, "M_MISSING_TOKEN");
    }

    Task<Reply> Attempt(string name, string? password) =>
        server.Anonymous.Post(Login, new { type = "m.login.password", identifier = new { type = "m.id.user", user = name }, password });
}
