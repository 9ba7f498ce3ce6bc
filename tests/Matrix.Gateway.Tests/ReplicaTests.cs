using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Matrix.LocalStack;

namespace Matrix.Gateway.Tests;

public sealed class ReplicaTests
{
    static readonly string[] Tokens = [.. Enumerable.Range(0, 60).Select(i => $"syt_token_{i}")];

    static async Task<Dictionary<string, Upstream>> Placement(TestGateway gateway, params Upstream[] replicas)
    {
        var placement = new Dictionary<string, Upstream>();
        foreach (var token in Tokens)
        {
            Assert.Equal(HttpStatusCode.OK, (await gateway.Sync(token)).StatusCode);
            placement[token] = replicas.Single(replica => replica.Requests.Any(request => request.Headers["Authorization"].EndsWith(" " + token, StringComparison.Ordinal)));
            foreach (var replica in replicas) replica.Requests.Clear();
        }

        return placement;
    }

    [Fact]
    public async Task A_user_stays_on_a_replica_and_users_spread_over_all()
    {
        await using var a = await Upstream.Start();
        await using var b = await Upstream.Start();
        await using var c = await Upstream.Start();
        await using var gateway = await TestGateway.Start(a, b, c);
        var first = await Placement(gateway, a, b, c);
        Assert.Equal(first, await Placement(gateway, a, b, c));
        Assert.All([a, b, c], replica => Assert.InRange(first.Values.Count(at => at == replica), 8, 40));

        await using var another = await TestGateway.Start(c, a, b); // a second gateway, with the replicas in another order
        Assert.Equal(first, await Placement(another, a, b, c));
    }

    [Fact]
    public async Task The_loss_of_a_replica_moves_only_its_own_users()
    {
        await using var a = await Upstream.Start();
        await using var b = await Upstream.Start();
        await using var c = await Upstream.Start();
        await using var gateway = await TestGateway.Start(a, b, c);
        var before = await Placement(gateway, a, b, c);
        await b.Stop();
        var after = await Placement(gateway, a, b, c);
        foreach (var token in Tokens)
        {
            if (before[token] != b) Assert.Same(before[token], after[token]);
            else Assert.NotSame(b, after[token]);
        }
    }

    [Theory]
    [InlineData("/_matrix/federation/v1/send/1", "/_matrix/federation/v1/send/2")]
    [InlineData("/_matrix/federation/v1/state/!room:a.example", "/_matrix/federation/v2/send_join/%21room%3Aa.example/$e")]
    public async Task Federation_keeps_a_room_or_else_an_origin_on_one_replica(string path, string other)
    {
        await using var a = await Upstream.Start();
        await using var b = await Upstream.Start();
        await using var gateway = await TestGateway.Start(
            [("gateway:clusters:client-api", a.Address), ("gateway:clusters:federation-reader", $"{a.Address},{b.Address}")]);
        foreach (var i in Enumerable.Range(0, 10))
        {
            foreach (var target in new[] { path, other })
            {
                var request = new HttpRequestMessage(HttpMethod.Get, target.Replace("room", "room" + i, StringComparison.Ordinal));
                request.Headers.TryAddWithoutValidation("Authorization", $"X-Matrix origin=\"s{i}.example\",destination=\"us\",key=\"ed25519:1\",sig=\"{target.Length}\"");
                await gateway.Client.SendAsync(request);
            }

            Assert.True((a.Requests.Count == 2) ^ (b.Requests.Count == 2), $"{a.Requests.Count} and {b.Requests.Count}");
            a.Requests.Clear();
            b.Requests.Clear();
        }
    }

    [Fact]
    public async Task A_replica_that_refuses_connections_loses_no_request()
    {
        await using var alive = await Upstream.Start();
        var dead = await Upstream.Start();
        await using var gateway = await TestGateway.Start(alive, dead);
        await dead.DisposeAsync();
        foreach (var token in Tokens)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/_matrix/client/v3/logout")
            {
                Headers = { { "Authorization", "Bearer " + token } }, Content = new StringContent("body of " + token),
            };
            Assert.Equal(HttpStatusCode.OK, (await gateway.Client.SendAsync(request)).StatusCode);
        }

        Assert.Equal(Tokens.Select(token => "body of " + token), alive.Requests.Select(request => request.Body));
    }

    [Fact]
    public async Task A_large_body_reaches_the_other_replica_whole_when_the_first_cannot_be_reached()
    {
        await using var alive = await Upstream.Start();
        await using var gateway = await TestGateway.Start([("gateway:clusters:client-api", $"{alive.Address},http://127.0.0.1:1")]);
        var body = new string('x', 300_000);
        foreach (var token in Tokens.Take(8))
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/_matrix/client/v3/keys/upload")
            {
                Headers = { { "Authorization", "Bearer " + token } }, Content = new StringContent(body),
            };
            Assert.Equal(HttpStatusCode.OK, (await gateway.Client.SendAsync(request)).StatusCode);
        }

        Assert.All(alive.Requests, request => Assert.Equal(body, request.Body));
    }

    [Fact]
    public async Task A_request_that_a_replica_took_is_not_repeated_unless_it_changes_nothing()
    {
        await using var a = await Upstream.Start(Break);
        await using var b = await Upstream.Start(Break);
        await using var gateway = await TestGateway.Start(a, b);
        var response = await gateway.Client.PostAsync("/_matrix/client/v3/createRoom", new StringContent("{}"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(["1"], response.Headers.GetValues("Retry-After"));
        Assert.Equal(1, a.Requests.Count + b.Requests.Count);

        a.Requests.Clear();
        b.Requests.Clear();
        await gateway.Client.GetAsync("/_matrix/client/v3/sync");
        Assert.NotEmpty(a.Requests);
        Assert.NotEmpty(b.Requests);

        static Task Break(HttpContext context)
        {
            context.Abort();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task While_a_replica_drains_new_requests_go_to_another_and_the_old_one_finishes()
    {
        var arrived = new TaskCompletionSource();
        Upstream? draining = null;
        await using var a = await Upstream.Start(LongPoll, drain: "10s");
        await using var b = await Upstream.Start(drain: "10s");
        await using var gateway = await TestGateway.Start(a, b);
        var mine = (await Placement(gateway, a, b)).First(pair => pair.Value == a).Key;

        draining = a;
        var poll = gateway.Sync(mine);
        await arrived.Task;
        var stopping = a.Stop();
        Assert.Equal("early", await (await poll).Content.ReadAsStringAsync());

        a.Requests.Clear();
        var post = new HttpRequestMessage(HttpMethod.Post, "/_matrix/client/v3/logout")
        {
            Headers = { { "Authorization", "Bearer " + mine } }, Content = new StringContent("{}"),
        };
        var moved = await gateway.Client.SendAsync(post);
        Assert.Equal(HttpStatusCode.OK, moved.StatusCode);
        Assert.False(moved.Headers.Contains("X-Matrix-Draining"));
        Assert.Empty(a.Requests);
        Assert.Equal("{}", b.Requests.Last().Body);
        Assert.False(stopping.IsCompleted, "it must still have been draining");

        async Task LongPoll(HttpContext context)
        {
            if (draining is null) return;
            var early = new TaskCompletionSource();
            using var registration = draining.Draining.Register(early.SetResult);
            arrived.SetResult();
            await early.Task;
            await context.Response.WriteAsync("early");
        }
    }

    [Fact]
    public async Task A_request_waits_for_the_restart_of_the_only_replica()
    {
        // a port that the gateway's own attempts to connect cannot take meanwhile
        var address = $"http://127.0.0.1:{FreePort.Find()}";
        var first = await Upstream.Start(address: address);
        await using var gateway = await TestGateway.Start([("gateway:clusters:client-api", address), ("gateway:wait_for_replica", "20s")]);
        await first.DisposeAsync();
        var request = gateway.Client.PostAsync("/_matrix/client/v3/logout", new StringContent("{}"));
        await Task.WhenAny(request, Task.Delay(250));
        Assert.False(request.IsCompleted);
        await using var second = await Upstream.Start(address: address);
        Assert.Equal(HttpStatusCode.OK, (await request).StatusCode);
        Assert.Equal("{}", Assert.Single(second.Requests).Body);
    }

    [Fact]
    public async Task A_gateway_that_stops_has_polls_answered_at_once_and_finishes_what_changes_something()
    {
        var (polling, posting, finish) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        await using var upstream = await Upstream.Start(async context =>
        {
            if (context.Request.Headers.ContainsKey("X-Matrix-Answer-Now"))
            {
                await context.Response.WriteAsync("nothing new");
                return;
            }

            if (HttpMethods.IsGet(context.Request.Method))
            {
                polling.SetResult();
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }

            posting.SetResult();
            await finish.Task;
            await context.Response.WriteAsync("sent");
        });
        await using var gateway = await TestGateway.Start(upstream);
        var poll = gateway.Sync("token");
        var post = gateway.Client.PostAsync("/_matrix/client/v3/logout", new StringContent("{}"));
        await Task.WhenAll(polling.Task, posting.Task);

        var stopped = gateway.Stop();
        Assert.Equal(HttpStatusCode.OK, (await poll).StatusCode);
        Assert.Equal("nothing new", await (await poll).Content.ReadAsStringAsync());
        Assert.False(post.IsCompleted);
        finish.SetResult();
        Assert.Equal("sent", await (await post).Content.ReadAsStringAsync());
        await stopped;
    }

    [Fact]
    public async Task A_replica_that_is_not_ready_gets_no_requests_until_it_is()
    {
        var ready = false;
        await using var a = await Upstream.Start(ready: () => Volatile.Read(ref ready));
        await using var b = await Upstream.Start();
        await using var gateway = await TestGateway.Start(
            [("gateway:clusters:client-api", $"{a.Address},{b.Address}"), ("gateway:health_interval", "100ms")]);
        await Eventually(async () => (await Placement(gateway, a, b)).Values.All(replica => replica == b));
        Volatile.Write(ref ready, true);
        await Eventually(async () => (await Placement(gateway, a, b)).Values.Any(replica => replica == a));
    }

    [Fact]
    public async Task A_replica_that_accepts_nothing_is_given_up_within_the_time_to_connect()
    {
        await using var alive = await Upstream.Start();
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound, but not listening
        await using var gateway = await TestGateway.Start([("gateway:clusters:client-api", $"{alive.Address},http://{full.LocalEndPoint}")]);
        foreach (var token in Tokens) Assert.Equal(HttpStatusCode.OK, (await gateway.Sync(token)).StatusCode);
    }

    static async Task Eventually(Func<Task<bool>> condition)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition()) timeout.Token.ThrowIfCancellationRequested();
    }
}
