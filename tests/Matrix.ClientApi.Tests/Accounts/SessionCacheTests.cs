using Matrix.Replication;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.ClientApi.Tests.Accounts;

public sealed class SessionCacheTests(TwoReplicas replicas) : IClassFixture<TwoReplicas>
{
    const string V3 = "/_matrix/client/v3", Whoami = $"{V3}/account/whoami";

    readonly MatrixServer here = replicas.Here, there = replicas.There;

    [Fact]
    public async Task A_session_that_ended_on_one_replica_is_over_on_the_other_when_the_answer_comes()
    {
        await Task.WhenAll(
            Ends((user, _) => user.Post($"{V3}/logout")),
            Ends((_, other) => other.Post($"{V3}/logout/all")),
            Ends((user, other) => other.Delete($"{V3}/devices/{user.DeviceId}", new { auth = Proof(user) })),
            Ends((user, other) => other.Post($"{V3}/account/password", new { new_password = "new", auth = Proof(user) })),
            Ends((user, other) => other.Post($"{V3}/account/deactivate", new { auth = Proof(user) })),
            Ends((user, _) => here.Anonymous.Post($"{V3}/login", new
            {
                type = "m.login.password",
                identifier = new { type = "m.id.user", user = user.UserId },
                password = user.Password,
                device_id = user.DeviceId,
            })));
    }

    [Fact]
    public async Task A_token_that_was_refreshed_is_worth_nothing_on_the_other_once_the_new_one_is_used()
    {
        var user = await here.NewUser();
        var first = (await here.Anonymous.Post($"{V3}/login", new
        {
            type = "m.login.password",
            identifier = new { type = "m.id.user", user = user.UserId },
            password = user.Password,
            refresh_token = true,
        })).Ok();
        (await there.As(first).Get(Whoami)).Ok();
        var second = (await here.Anonymous.Post($"{V3}/refresh", new { refresh_token = first.String("refresh_token") })).Ok();
        (await there.As(first).Get(Whoami)).Ok();
        (await here.As(second).Get(Whoami)).Ok();
        (await there.As(first).Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
        (await there.As(second).Get(Whoami)).Ok();
    }

    [Fact]
    public async Task A_replica_that_no_longer_follows_the_log_asks_the_database()
    {
        await using var deaf = await replicas.StartAnother();
        var user = await here.NewUser();
        (await deaf.As(user).Get(Whoami)).Ok();
        await deaf.Services.GetRequiredService<LogFollower>().StopAsync(TestContext.Current.CancellationToken);
        (await user.Post($"{V3}/logout")).Ok();
        (await deaf.As(user).Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
    }

    [Fact]
    public async Task Without_news_a_session_is_read_once()
    {
        var user = await here.NewUser();
        (await user.Get(Whoami)).Ok();
        using var counter = new Sync.StatementCounter(replicas.Database);
        for (var i = 0; i < 5; i++)
            (await user.Get(Whoami)).Ok();
        Assert.DoesNotContain(counter.Statements, sql => sql.Contains("access_tokens t") && sql.Contains("d.last_seen_at"));
    }

    async Task Ends(Func<User, User, Task<Reply>> end)
    {
        var user = await here.NewUser();
        var other = await user.NewDevice();
        (await there.As(user).Get(Whoami)).Ok();
        (await here.As(user).Get(Whoami)).Ok();
        (await end(user, other)).Ok();
        (await there.As(user).Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
        (await here.As(user).Get(Whoami)).Refused(401, "M_UNKNOWN_TOKEN");
    }

    static object Proof(User user) =>
        new { type = "m.login.password", identifier = new { type = "m.id.user", user = user.UserId }, password = user.Password };
}

/// <summary>
/// Two processes on one database. Each has a bus of its own, so neither hears of the other by messages: what holds here holds without any.
/// </summary>
public sealed class TwoReplicas : IAsyncLifetime
{
    public MatrixServer Here { get; private set; } = null!;

    public MatrixServer There { get; private set; } = null!;

    public string Database { get; private set; } = "";

    public Task<MatrixServer> StartAnother() => MatrixServer.Start(configuration => configuration["database:args:database"] = Database);

    public async ValueTask InitializeAsync()
    {
        Here = await MatrixServer.Start(configuration => Database = configuration["database:args:database"]!);
        There = await StartAnother();
    }

    public async ValueTask DisposeAsync()
    {
        await There.DisposeAsync();
        await Here.DisposeAsync();
    }
}
