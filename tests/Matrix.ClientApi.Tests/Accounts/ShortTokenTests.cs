namespace Matrix.ClientApi.Tests.Accounts;

/// <summary>Tokens for third parties and for a user's other devices, and credentials for calls.</summary>
public sealed class ShortTokenTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3";

    [Fact]
    public async Task A_user_gets_a_token_that_says_who_they_are()
    {
        var (alice, bob) = (await server.NewUser(), await server.NewUser());
        var token = (await alice.Post($"{V3}/user/{ApiClient.Esc(alice.UserId)}/openid/request_token")).Ok();
        Assert.Equal("Bearer", token.String("token_type"));
        Assert.Equal(server.ServerName, token.String("matrix_server_name"));
        Assert.Equal(3600, token["expires_in"].GetInt32());
        Assert.True(token.String("access_token").Length >= 32);
        (await bob.Post($"{V3}/user/{ApiClient.Esc(alice.UserId)}/openid/request_token")).Refused(403, "M_FORBIDDEN");
        // it opens no session
        (await new ApiClient(new HttpClient { BaseAddress = server.BaseUrl }, token.String("access_token")).Get($"{V3}/account/whoami")).Refused(401, "M_UNKNOWN_TOKEN");
    }

    [Fact]
    public async Task A_login_token_lets_in_one_device_after_the_password_was_given()
    {
        var alice = await server.NewUser();
        var path = "/_matrix/client/v1/login/get_token";
        var asked = await alice.Post(path);
        Assert.Equal(401, (int)asked.Status);
        var auth = new { type = "m.login.password", identifier = new { type = "m.id.user", user = alice.UserId }, password = alice.Password, session = asked.String("session") };
        var granted = (await alice.Post(path, new { auth })).Ok();
        Assert.Equal(120_000, granted["expires_in_ms"].GetInt32());
        Assert.Equal(401, (int)(await alice.Post(path)).Status); // the next one takes the password again

        var login = new { type = "m.login.token", token = granted.String("login_token") };
        var session = (await server.Anonymous.Post($"{V3}/login", login)).Ok();
        Assert.Equal(alice.UserId, session.String("user_id"));
        Assert.NotEqual(alice.DeviceId, session.String("device_id"));
        (await server.As(session).Get($"{V3}/account/whoami")).Ok();
        (await server.Anonymous.Post($"{V3}/login", login)).Refused(403, "M_FORBIDDEN");
        Assert.Contains((await server.Anonymous.Get($"{V3}/login")).Ok()["flows"].Items(), flow => flow.String("type") == "m.login.token" && flow.At("get_login_token").GetBoolean());
    }

    [Fact]
    public async Task Without_bridges_and_call_servers_lookups_are_empty()
    {
        var alice = await server.NewUser();
        Assert.Empty((await alice.Get($"{V3}/thirdparty/location?search=x")).Ok().Json.EnumerateArray());
        Assert.Empty((await alice.Get($"{V3}/thirdparty/user")).Ok().Json.EnumerateArray());
        foreach (var path in new[] { "protocol/irc", "location/irc", "user/irc" })
            (await alice.Get($"{V3}/thirdparty/{path}")).Refused(404, "M_NOT_FOUND");
        Assert.Empty((await alice.Get($"{V3}/voip/turnServer")).Ok().Json.EnumerateObject());
        foreach (var path in new[] { "v1/rtc/transports", "unstable/org.matrix.msc4143/rtc/transports" })
            Assert.Empty((await alice.Get($"/_matrix/client/{path}")).Ok()["rtc_transports"].Items());
    }

    [Fact]
    public async Task Calls_go_where_the_operator_says_with_credentials_that_the_turn_server_can_check()
    {
        await using var own = await MatrixServer.Start(configuration =>
        {
            configuration["turn_uris:0"] = "turn:turn.example?transport=udp";
            configuration["turn_shared_secret"] = "n0t4ctuAllymatr1Xd0TorgSshar3d5ecret4obvIousreAsons";
            configuration["turn_user_lifetime"] = "1h";
            configuration["public_baseurl"] = "https://matrix.test.example/";
            configuration["matrix_rtc:transports:0:type"] = "livekit";
            configuration["matrix_rtc:transports:0:livekit_service_url"] = "https://livekit.example/";
        });
        var alice = await own.NewUser();
        var turn = (await alice.Get($"{V3}/voip/turnServer")).Ok();
        Assert.Equal("turn:turn.example?transport=udp", turn["uris"][0].GetString());
        Assert.Equal(3600, turn["ttl"].GetInt32());
        Assert.EndsWith($":{alice.UserId}", turn.String("username"), StringComparison.Ordinal);
#pragma warning disable CA5350
        Assert.Equal(Convert.ToBase64String(System.Security.Cryptography.HMACSHA1.HashData(
            "n0t4ctuAllymatr1Xd0TorgSshar3d5ecret4obvIousreAsons"u8, System.Text.Encoding.UTF8.GetBytes(turn.String("username")))), turn.String("password"));
#pragma warning restore CA5350
        Assert.Equal("https://livekit.example/", (await alice.Get("/_matrix/client/v1/rtc/transports")).Ok()["rtc_transports"][0].String("livekit_service_url"));
        Assert.Equal("livekit", (await own.Anonymous.Get("/.well-known/matrix/client")).Ok().Json.GetProperty("org.matrix.msc4143.rtc_foci")[0].String("type"));
    }
}
