using System.Net;
using Matrix.Protocol;
using Matrix.Storage.Caching;
using Matrix.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.Federation.Tests.Transport;

/// <summary>Where a server is to be reached, and as whom (Server-Server API, Resolving server names).</summary>
public sealed class DiscoveryTests : IAsyncDisposable
{
    readonly CertificateAuthority _authority = new();
    readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    readonly Dictionary<string, IReadOnlyList<ServiceRecord>> _services = [];
    readonly List<IAsyncDisposable> _open = [];
    readonly Dictionary<string, IPEndPoint> _addresses = [];
    bool _resolverFails;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var one in _open)
            await one.DisposeAsync();
        _authority.Dispose();
    }

    ServerDiscovery Discovery()
    {
        var names = new Names
        {
            FindAddresses = (host, port, _) => _addresses.TryGetValue($"{host}:{port}", out var address) ? Task.FromResult<IPEndPoint[]>([address])
                : throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound),
            FindServices = (name, _) => _resolverFails ? throw new DnsClient.DnsResponseException(DnsClient.DnsResponseCode.ServerFailure)
                : Task.FromResult(_services.GetValueOrDefault(name) ?? []),
        };
        var options = new FederationOptions { FederationCustomCaList = [_authority.File], IpRangeWhitelist = ["127.0.0.1"] };
        var caches = new Caches(new CacheOptions());
        return new ServerDiscovery(new WellKnown(new FederationConnections(Options.Create(options), names), caches, _time), names, caches, _time);
    }

    async Task<TlsServer> WellKnown(string host, RequestDelegate answer)
    {
        var server = await TlsServer.Start(_authority.Issue(host), answer);
        _open.Add(server);
        _addresses[$"{host}:443"] = server.EndPoint;
        return server;
    }

    static RequestDelegate Delegation(string server, string? cacheControl = null) => context =>
    {
        context.Response.Headers.CacheControl = cacheControl;
        return context.Response.WriteAsync($$"""{"m.server": "{{server}}"}""", Ct);
    };

    static async Task<string> Find(ServerDiscovery discovery, string name)
    {
        var route = await discovery.Find(ServerName.Parse(name), Ct);
        return $"{route.HostHeader} at {string.Join(", ", route.Targets.Select(target => $"{target.Host}:{target.Port}"))}";
    }

    [Theory]
    [InlineData("1.2.3.4", "1.2.3.4 at 1.2.3.4:8448")]
    [InlineData("1.2.3.4:5", "1.2.3.4:5 at 1.2.3.4:5")]
    [InlineData("[2a00::1]", "[2a00::1] at [2a00::1]:8448")]
    [InlineData("[2a00::1]:5", "[2a00::1]:5 at [2a00::1]:5")]
    [InlineData("example.org:443", "example.org:443 at example.org:443")]
    [InlineData("example.org", "example.org at example.org:8448")]
    public async Task A_name_says_where_its_server_is(string name, string route) => Assert.Equal(route, await Find(Discovery(), name));

    [Theory]
    [InlineData("1.2.3.4", "1.2.3.4 at 1.2.3.4:8448")]
    [InlineData("[2a00::1]:5", "[2a00::1]:5 at [2a00::1]:5")]
    [InlineData("matrix.example.org:443", "matrix.example.org:443 at matrix.example.org:443")]
    [InlineData("matrix.example.org", "matrix.example.org at matrix.example.org:8448")]
    public async Task A_well_known_document_delegates(string to, string route)
    {
        var server = await WellKnown("example.org", Delegation(to));
        Assert.Equal(route, await Find(Discovery(), "example.org"));
        Assert.Equal(["example.org example.org /.well-known/matrix/server"], server.Seen);
    }

    [Fact]
    public async Task Services_are_tried_by_priority_with_the_name_of_the_host_that_they_are_for()
    {
        _services["_matrix-fed._tcp.example.org"] = [new("c.net", 3, 20, 0), new("a.net", 1, 10, 5), new("b.net", 2, 15, 0)];
        _services["_matrix._tcp.old.org"] = [new("d.net", 4, 0, 0)];
        _services["_matrix-fed._tcp.none.org"] = [new("", 0, 0, 0)];
        _services["_matrix-fed._tcp.to.net"] = [new("e.net", 5, 0, 0)];
        _services["_matrix-fed._tcp.odd.org"] = [new("no port.net", 1, 0, 0), new("f.net", 0, 0, 0), new("f.net?", 1, 0, 0), new("f.net", 6, 1, 0)];
        await WellKnown("delegated.org", Delegation("to.net"));
        var discovery = Discovery();
        Assert.Equal("example.org at a.net:1, b.net:2, c.net:3", await Find(discovery, "example.org"));
        Assert.Equal("old.org at d.net:4", await Find(discovery, "old.org"));
        Assert.Equal("none.org at none.org:8448", await Find(discovery, "none.org"));
        Assert.Equal("to.net at e.net:5", await Find(discovery, "delegated.org"));
        Assert.Equal("odd.org at f.net:6", await Find(discovery, "odd.org"));
    }

    [Fact]
    public async Task While_the_resolver_fails_the_services_that_it_named_last_count()
    {
        _services["_matrix-fed._tcp.example.org"] = [new("a.net", 1, 10, 5)];
        var discovery = Discovery();
        await Find(discovery, "example.org");
        _resolverFails = true;
        Assert.Equal("new.org at new.org:8448", await Find(discovery, "new.org"));
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("example.org at a.net:1", await Find(discovery, "example.org"));
        // and it is asked again soon, not in five minutes
        _services["_matrix-fed._tcp.example.org"] = [new("b.net", 1, 10, 5)];
        _services["_matrix-fed._tcp.new.org"] = [new("c.net", 1, 10, 5)];
        _resolverFails = false;
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("example.org at b.net:1", await Find(discovery, "example.org"));
        Assert.Equal("new.org at c.net:1", await Find(discovery, "new.org"));
    }

    [Fact]
    public void Among_equal_services_the_weight_decides_how_often_one_is_first()
    {
        ServiceRecord[] records = [new("light", 1, 0, 1), new("heavy", 1, 0, 9)];
        var random = new Random(7);
        var heavy = Enumerable.Range(0, 1000).Count(_ => ServerDiscovery.Order(records, random)[0].Host == "heavy");
        Assert.InRange(heavy, 700, 950);
    }

    [Theory]
    [InlineData("max-age=7200", 119, 121)]
    [InlineData(null, 23 * 60, (24 * 60) + 1)]
    [InlineData("max-age=31536000", 47 * 60, (48 * 60) + 1)]
    [InlineData("no-store", 4, 6)]
    public async Task A_document_is_kept_as_long_as_it_says_within_limits(string? cacheControl, int keptMinutes, int goneMinutes)
    {
        var server = await WellKnown("example.org", Delegation("a.org:1", cacheControl));
        var discovery = Discovery();
        await Find(discovery, "example.org");
        _time.Advance(TimeSpan.FromMinutes(keptMinutes));
        await Find(discovery, "example.org");
        Assert.Single(server.Seen);
        _time.Advance(TimeSpan.FromMinutes(goneMinutes - keptMinutes));
        await Find(discovery, "example.org");
        Assert.Equal(2, server.Seen.Count);
    }

    [Fact]
    public async Task A_failure_is_kept_for_a_minute_and_a_document_that_was_good_stays()
    {
        var good = false;
        var server = await WellKnown("example.org", context => good ? Delegation("a.org:1", "max-age=600")(context) : context.Response.WriteAsync("{}", Ct));
        var discovery = Discovery();
        Assert.Equal("example.org at example.org:8448", await Find(discovery, "example.org"));
        good = true;
        await Find(discovery, "example.org");
        Assert.Single(server.Seen);
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("a.org:1 at a.org:1", await Find(discovery, "example.org"));
        good = false;
        _time.Advance(TimeSpan.FromSeconds(601));
        Assert.Equal("a.org:1 at a.org:1", await Find(discovery, "example.org"));
        Assert.Equal(3, server.Seen.Count);
    }

    [Fact]
    public async Task A_document_that_cannot_be_had_is_asked_for_ever_more_rarely_and_a_good_one_stays_for_two_days()
    {
        var good = true;
        var server = await WellKnown("example.org", context => good ? Delegation("a.org:1", "max-age=600")(context) : context.Response.WriteAsync("{}", Ct));
        var discovery = Discovery();
        await Find(discovery, "example.org");
        good = false;
        foreach (var minutes in new[] { 10, 1, 2, 4, 8, 16, 32, 60, 60 })
        {
            var asked = server.Seen.Count;
            _time.Advance(TimeSpan.FromMinutes(minutes) - TimeSpan.FromSeconds(1));
            await Find(discovery, "example.org");
            Assert.Equal(asked, server.Seen.Count);
            _time.Advance(TimeSpan.FromSeconds(2));
            Assert.Equal("a.org:1 at a.org:1", await Find(discovery, "example.org"));
            Assert.Equal(asked + 1, server.Seen.Count);
        }
        _time.Advance(TimeSpan.FromHours(46));
        Assert.Equal("example.org at example.org:8448", await Find(discovery, "example.org"));
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("""{"m.server": 1}""")]
    [InlineData("""{"m.server": "a b"}""")]
    [InlineData("[]")]
    public async Task A_bad_document_delegates_nothing(string body)
    {
        await WellKnown("example.org", context => context.Response.WriteAsync(body, Ct));
        Assert.Equal("example.org at example.org:8448", await Find(Discovery(), "example.org"));
    }

    [Fact]
    public async Task A_document_without_end_delegates_nothing()
    {
        await WellKnown("example.org", async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(new byte[64 << 10], context.RequestAborted);
        });
        Assert.Equal("example.org at example.org:8448", await Find(Discovery(), "example.org"));
    }

    [Fact]
    public async Task Redirects_are_followed_a_few_times_and_only_where_they_may_lead()
    {
        static Task To(HttpContext context, string location)
        {
            context.Response.Redirect(location);
            return Task.CompletedTask;
        }

        await WellKnown("good.org", context => To(context, "https://other.org/x"));
        await WellKnown("other.org", Delegation("a.org:1"));
        var loop = await WellKnown("loop.org", context => To(context, "/again"));
        await WellKnown("plain.org", context => To(context, "http://other.org/x"));
        await WellKnown("inside.org", context => To(context, "https://inside.example/x"));
        var inside = await WellKnown("inside.example", Delegation("a.org:1"));
        _addresses["inside.example:443"] = new IPEndPoint(IPAddress.Parse("127.0.0.2"), inside.Port);

        var discovery = Discovery();
        Assert.Equal("a.org:1 at a.org:1", await Find(discovery, "good.org"));
        Assert.Equal("loop.org at loop.org:8448", await Find(discovery, "loop.org"));
        Assert.InRange(loop.Seen.Count, 1, 10);
        Assert.Equal("plain.org at plain.org:8448", await Find(discovery, "plain.org"));
        Assert.Equal("inside.org at inside.org:8448", await Find(discovery, "inside.org"));
        Assert.Empty(inside.Seen);
    }
}
