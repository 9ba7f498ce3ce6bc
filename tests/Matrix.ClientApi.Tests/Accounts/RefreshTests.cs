namespace Matrix.ClientApi.Tests.Accounts;

public sealed class RefreshTests(MatrixServer server)
{
    const string Refresh = "/_matrix/client/v3/refresh", Whoami = "/_matrix/client/v3/account/whoami";

    [Fact]
    public async Task A_refresh_token_lives_until_what_it_was_exchanged_for_is_used()
    {
        var first = await Login(server);
        Assert.Equal(300_000, first["expires_in_ms"].GetInt64());
        var lost = (await Exchange(server, first)).Ok();   // the client never saw this answer
        var second = (await Exchange(server, first)).Ok();
        (await Exchange(server, lost)).Refused(401, "M_UNKNOWN_TOKEN");
        (await server.As(first).Get(Whoami)).Ok();

        (await server.As(second).Get(Whoami)).Ok();
        (await Exchange(server, first)).Refused(401, "M_UNKNOWN_TOKEN");
        (await server.As(first).Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
    }

    [Fact]
    public async Task Refreshing_again_settles_the_exchange_before()
    {
        var first = await Login(server);
        var second = (await Exchange(server, first)).Ok();
        var third = (await Exchange(server, second)).Ok();
        (await Exchange(server, first)).Refused(401, "M_UNKNOWN_TOKEN");
        (await server.As(third).Get(Whoami)).Ok();
        (await server.As(second).Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
        (await Exchange(server, third)).Ok();
    }

    [Fact]
    public async Task An_expired_access_token_is_a_soft_logout()
    {
        await using var hasty = await MatrixServer.Start(configuration => configuration["refreshable_access_token_lifetime"] = "1ms");
        var login = await Login(hasty);
        var refused = (await hasty.As(login).Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
        Assert.True(refused["soft_logout"].GetBoolean());
        (await Exchange(hasty, login)).Ok();
    }

    [Fact]
    public async Task Refresh_tokens_die_with_their_device()
    {
        var login = await Login(server);
        (await server.As(login).Post("/_matrix/client/v3/logout")).Ok();
        (await Exchange(server, login)).Refused(401, "M_UNKNOWN_TOKEN");
    }

    static async Task<Reply> Login(MatrixServer on)
    {
        var user = await on.NewUser();
        return (await on.Anonymous.Post("/_matrix/client/v3/login", new
        {
            type = "m.login.password",
            identifier = new { type = "m.id.user", user = user.UserId },
            password = user.Password,
            refresh_token = true,
        })).Ok();
    }

    static Task<Reply> Exchange(MatrixServer on, Reply tokens) =>
        on.Anonymous.Post(Refresh, new { refresh_token = tokens.String("refresh_token") });
}
