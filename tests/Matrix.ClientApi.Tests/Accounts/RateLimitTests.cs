namespace Matrix.ClientApi.Tests.Accounts;

public sealed class RateLimitTests
{
    const string Login = "/_matrix/client/v3/login", Register = "/_matrix/client/v3/register";

    [Fact]
    public async Task After_too_many_wrong_passwords_the_right_one_has_to_wait_too_and_others_need_not()
    {
        await using var server = await MatrixServer.Start(configuration => Limit(configuration, "rc_login:failed_attempts", 3));
        var (user, other) = (await server.NewUser(), await server.NewUser());
        for (var i = 0; i < 3; i++) (await Attempt(server, user.UserId, "wrong")).Refused(403, "M_FORBIDDEN");
        var refused = (await Attempt(server, user.Localpart, user.Password)).Refused(429, "M_LIMIT_EXCEEDED");
        Assert.InRange(refused["retry_after_ms"].GetInt64(), 1, 100_000);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 101);
        (await Attempt(server, other.UserId, other.Password)).Ok();
    }

    [Fact]
    public async Task An_address_logs_in_and_registers_so_often_and_no_more()
    {
        await using var server = await MatrixServer.Start(configuration =>
        {
            Limit(configuration, "rc_login:address", 2);
            Limit(configuration, "rc_registration", 1);
        });
        var user = await server.NewUser();
        for (var i = 0; i < 2; i++) (await Attempt(server, user.UserId, user.Password)).Ok();
        (await Attempt(server, user.UserId, user.Password)).Refused(429, "M_LIMIT_EXCEEDED");
        var auth = new { type = "m.login.dummy" };
        (await server.Anonymous.Post(Register, new { password = "secret", auth })).Ok();
        (await server.Anonymous.Post(Register, new { password = "secret", auth })).Refused(429, "M_LIMIT_EXCEEDED");
    }

    static void Limit(Dictionary<string, string?> configuration, string kind, int burst)
    {
        configuration[$"{kind}:per_second"] = "0.01";
        configuration[$"{kind}:burst_count"] = $"{burst}";
    }

    static Task<Reply> Attempt(MatrixServer server, string name, string? password) =>
        server.Anonymous.Post(Login, new { type = "m.login.password", identifier = new { type = "m.id.user", user = name }, password });
}
