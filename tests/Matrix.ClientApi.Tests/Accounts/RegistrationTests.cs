namespace Matrix.ClientApi.Tests.Accounts;

public sealed class RegistrationTests(MatrixServer server)
{
    const string Register = "/_matrix/client/v3/register", Tokens = "/_synapse/admin/v1/registration_tokens";

    static string NewName() => $"new-{Guid.NewGuid():N}";

    [Fact]
    public async Task Registration_asks_for_proof_and_then_makes_an_account_that_is_logged_in()
    {
        var name = NewName();
        var asked = await server.Anonymous.Post(Register, new { username = name, password = "secret" });
        Assert.Equal(401, (int)asked.Status);
        Assert.Equal("m.login.dummy", asked["flows"][0].At("stages")[0].GetString());
        Assert.Null(asked.Errcode);

        var auth = new { type = "m.login.dummy", session = asked.String("session") };
        var made = (await server.Anonymous.Post(Register, new { username = name, password = "secret", auth, device_id = "PHONE" })).Ok();
        Assert.Equal($"@{name}:{server.ServerName}", made.String("user_id"));
        Assert.Equal("PHONE", made.String("device_id"));
        var whoami = await server.As(made).Get("/_matrix/client/v3/account/whoami");
        Assert.Equal(made.String("user_id"), whoami.Ok().String("user_id"));
    }

    [Fact]
    public async Task A_session_makes_one_account()
    {
        var session = (await server.Anonymous.Post(Register)).String("session");
        (await Complete(session, NewName())).Ok();
        (await Complete(session, NewName())).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task A_completed_session_is_kept_when_something_else_was_wrong()
    {
        var session = (await server.Anonymous.Post(Register)).String("session");
        var auth = new { type = "m.login.dummy", session };
        (await server.Anonymous.Post(Register, new { username = NewName(), auth })).Refused(400, "M_MISSING_PARAM");
        (await server.Anonymous.Post(Register, new { username = NewName(), password = "secret", auth = new { session } })).Ok();
    }

    [Theory]
    [InlineData("has space")]
    [InlineData("@whole:test.example")]
    [InlineData("_reserved")]
    [InlineData("ümlaut")]
    [InlineData("")]
    public async Task A_name_outside_the_grammar_is_refused_before_any_proof(string username) =>
        (await server.Anonymous.Post(Register, new { username, password = "secret" })).Refused(400, "M_INVALID_USERNAME");

    [Fact]
    public async Task A_name_is_taken_whatever_its_case()
    {
        var user = await server.NewUser();
        var shouted = user.Localpart.ToUpperInvariant();
        (await server.Anonymous.Post(Register, new { username = shouted, password = "secret" })).Refused(400, "M_USER_IN_USE");
        (await server.Anonymous.Get($"{Register}/available?username={shouted}")).Refused(400, "M_USER_IN_USE");
        Assert.True((await server.Anonymous.Get($"{Register}/available?username={NewName()}")).Ok()["available"].GetBoolean());
    }

    [Fact]
    public async Task Of_two_who_want_a_name_at_once_one_gets_it()
    {
        var name = NewName();
        var replies = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Complete(null, name)));
        Assert.Single(replies, reply => (int)reply.Status == 200);
        Assert.Equal(3, replies.Count(reply => reply.Errcode == "M_USER_IN_USE"));
    }

    [Fact]
    public async Task A_login_can_be_inhibited()
    {
        var reply = await server.Anonymous.Post(
            Register, new { username = NewName(), password = "secret", inhibit_login = true, auth = new { type = "m.login.dummy" } });
        Assert.Null(reply.Ok().Json.Find("access_token"));
        Assert.Null(reply.Json.Find("device_id"));
    }

    [Fact]
    public async Task Who_gives_no_name_gets_one()
    {
        var made = (await Complete(null, null)).Ok();
        Assert.EndsWith(":" + server.ServerName, made.String("user_id"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Guests_may_look_and_not_change()
    {
        var guest = server.As((await server.Anonymous.Post($"{Register}?kind=guest", new { device_id = "IGNORED" })).Ok());
        var whoami = (await guest.Get("/_matrix/client/v3/account/whoami")).Ok();
        Assert.True(whoami["is_guest"].GetBoolean());
        Assert.NotEqual("IGNORED", whoami.String("device_id"));
        var profile = $"/_matrix/client/v3/profile/{ApiClient.Esc(whoami.String("user_id"))}";
        (await guest.Put($"{profile}/displayname", new { displayname = "Visitor" })).Ok();
        (await guest.Put($"{profile}/avatar_url", new { avatar_url = "mxc://test.example/x" })).Refused(403, "M_GUEST_ACCESS_FORBIDDEN");
        (await guest.Post("/_matrix/client/v3/account/password", new { new_password = "x" })).Refused(403, "M_GUEST_ACCESS_FORBIDDEN");
    }

    [Fact]
    public async Task Registration_is_off_unless_the_operator_wants_it()
    {
        await using var closed = await MatrixServer.Start(configuration =>
        {
            configuration["enable_registration"] = null;
            configuration["allow_guest_access"] = null;
        });
        (await closed.Anonymous.Post(Register, new { username = "bob", password = "secret" })).Refused(403, "M_FORBIDDEN");
        (await closed.Anonymous.Get($"{Register}/available?username=bob")).Refused(403, "M_FORBIDDEN");
        (await closed.Anonymous.Post($"{Register}?kind=guest")).Refused(403, "M_GUEST_ACCESS_FORBIDDEN");
        await closed.NewUser("bob");
    }

    [Fact]
    public async Task A_registration_token_is_good_for_as_many_accounts_as_it_says_and_the_policy_holds()
    {
        await using var invited = await MatrixServer.Start(configuration =>
        {
            configuration["enable_registration_without_verification"] = null;
            configuration["registration_requires_token"] = "true";
            configuration["password_config:policy:enabled"] = "true";
            configuration["password_config:policy:minimum_length"] = "8";
        });
        var admin = await invited.NewUser(admin: true);
        (await admin.Post(Tokens + "/new", new { token = "once", uses_allowed = 1 })).Ok();
        Task<Reply> Try(string token, string password, string? session = null) => invited.Anonymous.Post(
            Register, new { username = NewName(), password, auth = new { type = "m.login.registration_token", token, session } });

        var refused = await Try("wrong", "long enough");
        Assert.Equal((401, "M_UNAUTHORIZED"), ((int)refused.Status, refused.Errcode));
        var holder = (await invited.Anonymous.Post(Register)).String("session");
        (await Try("once", "short", holder)).Refused(400, "M_WEAK_PASSWORD");
        Assert.Equal("M_UNAUTHORIZED", (await Try("once", "long enough")).Errcode); // the first session holds the only use
        Assert.False(await IsValid(invited, "once"));
        (await Try("once", "long enough", holder)).Ok();
        Assert.Equal("M_UNAUTHORIZED", (await Try("once", "long enough")).Errcode);
        Assert.False(await IsValid(invited, "never made"));

        (await admin.Post(Tokens + "/new", new { token = "withdrawn" })).Ok();
        holder = (await invited.Anonymous.Post(Register)).String("session");
        (await Try("withdrawn", "short", holder)).Refused(400, "M_WEAK_PASSWORD");
        (await admin.Delete(Tokens + "/withdrawn")).Ok();
        (await Try("withdrawn", "long enough", holder)).Refused(403, "M_FORBIDDEN");
        Assert.Equal(1, (await admin.Get(Tokens + "/once")).Ok()["completed"].GetInt32());
    }

    [Fact]
    public async Task Administrators_make_list_and_delete_registration_tokens()
    {
        var (admin, user) = (await server.NewUser(admin: true), await server.NewUser());
        (await user.Get(Tokens)).Refused(403, "M_FORBIDDEN");
        (await user.Post(Tokens + "/new")).Refused(403, "M_FORBIDDEN");
        var token = (await admin.Post(Tokens + "/new", new { length = 20 })).Ok().String("token");
        Assert.Equal(20, token.Length);
        Assert.True(await IsValid(server, token));
        var listed = (await admin.Get(Tokens + "?valid=true")).Ok()["registration_tokens"].Items().Single(item => item.String("token") == token);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, listed.At("uses_allowed").ValueKind);
        (await admin.Post(Tokens + "/new", new { token })).Refused(400, "M_INVALID_PARAM");
        (await admin.Post(Tokens + "/new", new { token = "no spaces" })).Refused(400, "M_INVALID_PARAM");
        (await admin.Post(Tokens + "/new", new { expiry_time = 1 })).Refused(400, "M_INVALID_PARAM");
        (await admin.Delete($"{Tokens}/{token}")).Ok();
        (await admin.Get($"{Tokens}/{token}")).Refused(404, "M_NOT_FOUND");
        Assert.False(await IsValid(server, token));
    }

    static async Task<bool> IsValid(MatrixServer on, string token) =>
        (await on.Anonymous.Get($"/_matrix/client/v1/register/m.login.registration_token/validity?token={ApiClient.Esc(token)}")).Ok()["valid"]
            .GetBoolean();

    Task<Reply> Complete(string? session, string? username) =>
        server.Anonymous.Post(Register, new { username, password = "secret", auth = new { type = "m.login.dummy", session } });
}
