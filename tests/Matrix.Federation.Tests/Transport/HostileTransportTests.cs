using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.LocalStack;
using Matrix.Protocol;
using Matrix.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Matrix.Federation.Tests.Transport;

/// <summary>Servers that do not mean well, or are not who they say: each ends with a clear failure, in bounded time and memory.</summary>
public sealed class HostileTransportTests(FederatedServers servers) : IAsyncLifetime
{
    readonly Dictionary<string, IPEndPoint[]> _addresses = [];
    TestDatabase _database = null!;
    FederationNode _node = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create(Ct);
        _node = await FederationNode.Start(_database, servers.Authority, names: new Names
        {
            FindAddresses = (host, _, _) => Task.FromResult(_addresses.GetValueOrDefault(host) ?? throw new SocketException()),
            FindServices = (name, _) => Task.FromResult<IReadOnlyList<ServiceRecord>>(
                name == "_matrix-fed._tcp.services.org" ? [new("dead.net", 1, 1, 0), new("live.net", 2, 2, 0)] : []),
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _database.DisposeAsync();
    }

    async Task<(FederationException Failure, TlsServer Server)> Fail(RequestDelegate answer, string host = "hostile.org:1", X509Certificate2? certificate = null,
        FederationRequest? request = null)
    {
        var server = await Serve(answer, ServerName.Parse(host).Host, certificate);
        return (await Fail(host, request), server);
    }

    async Task<FederationException> Fail(string host, FederationRequest? request = null) =>
        await Assert.ThrowsAsync<FederationException>(() => _node.Client.Get<JsonElement>(ServerName.Parse(host), "/_matrix/federation/v1/version", Ct, request));

    async Task<TlsServer> Serve(RequestDelegate answer, string host, X509Certificate2? certificate = null)
    {
        var server = await TlsServer.Start(certificate ?? servers.Authority.Issue(host), answer);
        _addresses[host] = [server.EndPoint];
        return server;
    }

    static Task Json(HttpContext context) => context.Response.WriteAsync("{}", Ct);

    [Fact]
    public async Task An_answer_that_comes_byte_by_byte_ends_with_its_time()
    {
        var (failure, server) = await Fail(async context =>
        {
            await context.Response.WriteAsync("{", Ct);
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(" "u8.ToArray(), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(5, context.RequestAborted);
            }
        }, request: new FederationRequest { Timeout = TimeSpan.FromMilliseconds(500) });
        Assert.Equal(FederationFailure.TimedOut, failure.Failure);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task An_answer_that_never_comes_ends_with_its_time()
    {
        var (failure, server) = await Fail(context => Task.Delay(Timeout.Infinite, context.RequestAborted), request: new FederationRequest { Timeout = TimeSpan.FromMilliseconds(300) });
        Assert.Equal(FederationFailure.TimedOut, failure.Failure);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task An_answer_without_end_is_read_no_further_than_its_limit()
    {
        var sent = 0L;
        var (failure, server) = await Fail(async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(new byte[16 << 10], context.RequestAborted);
                sent += 16 << 10;
            }
        }, request: new FederationRequest { MaxBytes = 1 << 20 });
        Assert.Equal(FederationFailure.TooLarge, failure.Failure);
        Assert.InRange(Interlocked.Read(ref sent), 1 << 20, 32 << 20);
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("")]
    [InlineData("null")]
    public async Task An_answer_that_is_not_JSON_is_malformed(string body)
    {
        await using var server = await Serve(context => context.Response.WriteAsync(body, Ct), "hostile.org");
        var failure = await Assert.ThrowsAsync<FederationException>(() => _node.Client.Get<Dictionary<string, string>>(ServerName.Parse("hostile.org:1"), "/x", Ct));
        Assert.Equal(FederationFailure.Malformed, failure.Failure);
        Assert.False(failure.IsOutage);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var inside = await Serve(Json, "inside.org");
        var (failure, server) = await Fail(context =>
        {
            context.Response.Redirect("https://inside.org/");
            return Task.CompletedTask;
        });
        Assert.Equal((FederationFailure.Refused, 302), (failure.Failure, failure.Status));
        Assert.Empty(inside.Seen);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused()
    {
        var (failure, server) = await Fail(Json, certificate: servers.Authority.Issue("other.org"));
        Assert.Equal(FederationFailure.Unreachable, failure.Failure);
        Assert.Empty(server.Seen);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_certificate_of_an_unknown_authority_is_refused()
    {
        using var stranger = new CertificateAuthority();
        var (failure, server) = await Fail(Json, certificate: stranger.Issue("hostile.org"));
        Assert.Equal(FederationFailure.Unreachable, failure.Failure);
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_certificate_that_says_where_its_issuer_is_makes_us_fetch_nothing(bool ownAuthorities)
    {
        // it would be asked for over plain HTTP, at whatever address the certificate names
        using var inside = new TcpListener(IPAddress.Loopback, 0);
        inside.Start();
        using var stranger = new CertificateAuthority();
        await using var server = await TlsServer.Start(stranger.Issue("hostile.org", $"http://127.0.0.1:{((IPEndPoint)inside.LocalEndpoint).Port}/ca.crt"), Json);
        var options = new FederationOptions { FederationCustomCaList = ownAuthorities ? [servers.Authority.File] : [], IpRangeWhitelist = ["127.0.0.1"] };
        using var connections = new FederationConnections(Options.Create(options), new Names { FindAddresses = (_, _, _) => Task.FromResult<IPEndPoint[]>([server.EndPoint]) });
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://hostile.org/");
        await Assert.ThrowsAsync<HttpRequestException>(() => connections.Send(request, Ct));
        Assert.False(inside.Pending());
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task Connections_of_one_name_are_not_used_for_another_at_the_same_address()
    {
        await using var server = await TlsServer.Start(servers.Authority.Issue("one.org"), Json);
        _addresses["one.org"] = _addresses["two.org"] = [server.EndPoint];
        await _node.Client.Get<JsonElement>(ServerName.Parse("one.org:1"), "/x", Ct);
        await _node.Client.Get<JsonElement>(ServerName.Parse("one.org:1"), "/y", Ct);
        Assert.Equal(FederationFailure.Unreachable, (await Fail("two.org:1")).Failure);
        Assert.Equal(["one.org one.org:1 /x", "one.org one.org:1 /y"], server.Seen);
    }

    [Theory]
    [InlineData("127.0.0.2")]
    [InlineData("10.1.2.3")]
    [InlineData("169.254.169.254")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    [InlineData("::ffff:192.168.1.1")]
    [InlineData("64:ff9b::a01:203")]
    [InlineData("2002:a01:203::1")]
    public async Task A_name_that_stands_for_a_private_address_is_not_connected_to(string address)
    {
        _addresses["inside.org"] = [new IPEndPoint(IPAddress.Parse(address), 1)];
        var failure = await Fail("inside.org:1");
        Assert.Equal(FederationFailure.Forbidden, failure.Failure);
        Assert.False(failure.IsOutage);
    }

    [Fact]
    public async Task The_address_that_is_connected_to_is_the_one_that_was_checked()
    {
        // a name that answers differently each time it is asked
        await using var server = await Serve(Json, "rebinding.org");
        var good = _addresses["rebinding.org"];
        await _node.Client.Get<JsonElement>(ServerName.Parse("rebinding.org:1"), "/x", Ct);
        _addresses["rebinding.org"] = [new IPEndPoint(IPAddress.Parse("127.0.0.3"), server.Port), .. good];
        await _node.Client.Get<JsonElement>(ServerName.Parse("rebinding.org:2"), "/x", Ct);
        _addresses["rebinding.org"] = [new IPEndPoint(IPAddress.Parse("127.0.0.3"), server.Port)];
        Assert.Equal(FederationFailure.Forbidden, (await Fail("rebinding.org:3")).Failure);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1:{0}")]
    [InlineData("::1", "[::1]:{0}")]
    public async Task An_address_for_a_name_has_to_stand_in_the_certificate_and_is_no_name_of_the_handshake(string address, string name)
    {
        await using var node = await FederationNode.Start(_database, servers.Authority, new() { ["ip_range_whitelist"] = address });
        await using var server = await TlsServer.Start(servers.Authority.Issue(address), Json, IPAddress.Parse(address));
        await using var wrong = await TlsServer.Start(servers.Authority.Issue("localhost"), Json, IPAddress.Parse(address));
        ServerName Name(TlsServer one) => ServerName.Parse(string.Format(System.Globalization.CultureInfo.InvariantCulture, name, one.Port));
        await node.Client.Get<JsonElement>(Name(server), "/x", Ct);
        Assert.Equal([$" {Name(server)} /x"], server.Seen);
        var failure = await Assert.ThrowsAsync<FederationException>(() => node.Client.Get<JsonElement>(Name(wrong), "/x", Ct));
        Assert.Equal(FederationFailure.Unreachable, failure.Failure);
        Assert.Empty(wrong.Seen);
    }

    [Fact]
    public async Task A_service_that_is_down_leaves_its_place_to_the_next()
    {
        await using var server = await Serve(Json, "services.org");
        _addresses["live.net"] = _addresses["services.org"];
        _addresses["dead.net"] = [new IPEndPoint(IPAddress.Loopback, FreePort.Find())];
        _addresses.Remove("services.org");
        await _node.Client.Get<JsonElement>(ServerName.Parse("services.org"), "/x", Ct);
        Assert.Equal(["services.org services.org /x"], server.Seen);
    }

    [Fact]
    public async Task A_server_that_fails_is_left_alone_until_it_is_heard_from()
    {
        var status = 503;
        await using var server = await Serve(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync("{}", Ct);
        }, "failing.org");
        var name = ServerName.Parse("failing.org:1");
        Assert.Equal((FederationFailure.Refused, 503), (await Fail("failing.org:1") is var first ? first.Failure : default, first.Status));
        Assert.Equal(FederationFailure.BackingOff, (await Fail("failing.org:1")).Failure);
        Assert.Equal(FederationFailure.Refused, (await Fail("failing.org:1", new FederationRequest { IgnoreBackoff = true })).Failure);
        Assert.Equal(2, server.Seen.Count);

        status = 200;
        Assert.True(await _node.Get<DestinationBackoff>().Heard(name, Ct));
        Assert.False(await _node.Get<DestinationBackoff>().Heard(name, Ct));
        await _node.Client.Get<JsonElement>(name, "/x", Ct);
    }

    [Fact]
    public async Task The_list_of_servers_to_speak_with_is_kept_to()
    {
        await using var server = await Serve(Json, "listed.org");
        _addresses["other.org"] = _addresses["listed.org"];
        await using var node = await FederationNode.Start(_database, servers.Authority, new() { ["federation_domain_whitelist"] = "listed.org:1" }, _node.Get<Names>());
        await node.Client.Get<JsonElement>(ServerName.Parse("listed.org:1"), "/x", Ct);
        var failure = await Assert.ThrowsAsync<FederationException>(() => node.Client.Get<JsonElement>(ServerName.Parse("other.org:1"), "/x", Ct));
        Assert.Equal(FederationFailure.Forbidden, failure.Failure);
    }
}
