using System.Globalization;
using System.Net;
using Matrix.Testing;

namespace Matrix.ClientApi.Tests.Errors;

/// <summary>Postgres is away for a while.</summary>
public sealed class OutageTests : IAsyncLifetime
{
    const string Joined = "/_matrix/client/v3/joined_rooms", Ready = "/health/ready";

    TcpProxy postgres = null!;
    MatrixServer server = null!;

    [Fact]
    public async Task Requests_that_need_it_are_refused_for_now_and_the_process_is_not_ready_until_it_is_back()
    {
        var (alice, room) = await server.UserInRoom();
        Assert.Equal(HttpStatusCode.OK, (await server.Anonymous.Get(Ready)).Status);

        postgres.GoAway();
        var refused = (await server.Anonymous.Get("/_matrix/client/v3/register/available?username=nobody")).Refused(503, "M_UNKNOWN");
        Assert.DoesNotContain("Npgsql", refused.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await alice.Get(Joined)).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Anonymous.Get(Ready)).Status);

        postgres.ComeBack();
        await Eventually.True("it serves again", async () => (await alice.Get(Joined)).Status == HttpStatusCode.OK);
        await alice.Say(room, "x");
        Assert.Equal(HttpStatusCode.OK, (await server.Anonymous.Get(Ready)).Status);
    }

    public async ValueTask InitializeAsync() => server = await MatrixServer.Start(configuration =>
    {
        postgres = new TcpProxy(configuration["database:args:host"]!, int.Parse(configuration["database:args:port"]!, CultureInfo.InvariantCulture));
        (configuration["database:args:host"], configuration["database:args:port"]) = ("127.0.0.1", $"{postgres.Port}");
    });

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await postgres.DisposeAsync();
    }
}
