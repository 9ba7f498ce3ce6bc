using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OpenTelemetry.Trace;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Gateway.Tests;

public sealed class ForwardingTests
{
    [Fact]
    public async Task Each_path_reaches_its_service()
    {
        await using var client = await Upstream.Start();
        await using var federation = await Upstream.Start();
        await using var media = await Upstream.Start();
        await using var gateway = await TestGateway.Start(
        [
            ("gateway:clusters:client-api", client.Address),
            ("gateway:clusters:federation-reader", federation.Address),
            ("gateway:clusters:media-repo", media.Address),
        ]);
        foreach (var path in new[] { "/_matrix/client/versions", "/_matrix/federation/v1/version", "/_matrix/client/v1/media/config" })
            Assert.Equal("ok", await gateway.Client.GetStringAsync(path));
        Assert.Equal("/_matrix/client/versions", Assert.Single(client.Requests).Target);
        Assert.Equal("/_matrix/federation/v1/version", Assert.Single(federation.Requests).Target);
        Assert.Equal("/_matrix/client/v1/media/config", Assert.Single(media.Requests).Target);
    }

    [Theory]
    [InlineData("/_matrix/client/v3/x/a%2Fb")]
    [InlineData("/_matrix/client/v3/x/a%252Fb")]
    [InlineData("/_matrix/client/v3/x/%F0%9F%90%88?q=a+b%26&q=%252F")]
    [InlineData("/_matrix/client/v3/x/!r:e/@u:e/a;b,c='d'")]
    [InlineData("/_matrix/client/v3/x/%40u%3Ae/")]
    [InlineData("/_matrix/client/v3/x?")]
    public async Task The_service_sees_the_path_as_the_client_wrote_it(string target)
    {
        await using var upstream = await Upstream.Start();
        await using var gateway = await TestGateway.Start(upstream);
        var uri = new Uri(gateway.Addresses[0]);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, uri.Port);
        await using var stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        await new StreamReader(stream).ReadToEndAsync();
        Assert.Equal(target, Assert.Single(upstream.Requests).Target);
    }

    [Fact]
    public async Task A_request_has_one_id_from_the_gateway_to_the_service_and_back()
    {
        await using var upstream = await Upstream.Start();
        await using var gateway = await TestGateway.Start(upstream);
        var response = await gateway.Client.GetAsync("/_matrix/client/versions");
        var id = Assert.Single(response.Headers.GetValues("X-Request-Id"));
        Assert.Equal(id, Assert.Single(upstream.Requests).Headers["X-Request-Id"]);

        var request = new HttpRequestMessage(HttpMethod.Get, "/_matrix/client/versions") { Headers = { { "X-Request-Id", "mine-1" } } };
        Assert.Equal(["mine-1"], (await gateway.Client.SendAsync(request)).Headers.GetValues("X-Request-Id"));
        request = new HttpRequestMessage(HttpMethod.Get, "/_matrix/client/versions") { Headers = { { "X-Request-Id", "a\tforged line" } } };
        Assert.DoesNotContain("forged", Assert.Single((await gateway.Client.SendAsync(request)).Headers.GetValues("X-Request-Id")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("false", "127.0.0.1")]
    [InlineData("true", "203.0.113.7")]
    public async Task An_address_that_the_caller_claims_is_passed_on_only_behind_a_proxy_of_ours(string trusted, string expected)
    {
        await using var upstream = await Upstream.Start(context => context.Response.WriteAsync(context.Connection.RemoteIpAddress!.ToString()));
        await using var gateway = await TestGateway.Start([("gateway:clusters:client-api", upstream.Address), ("x_forwarded", trusted)]);
        var request = new HttpRequestMessage(HttpMethod.Get, "/_matrix/client/versions") { Headers = { { "X-Forwarded-For", "10.9.9.9, 203.0.113.7" } } };
        Assert.Equal(expected, await (await gateway.Client.SendAsync(request)).Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task A_trace_that_the_caller_claims_goes_on_only_behind_a_proxy_of_ours(bool accepted, bool traced)
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        await using var upstream = await Upstream.Start();
        await using var gateway = await TestGateway.Start([("gateway:clusters:client-api", upstream.Address), ("opentelemetry:accept_callers", $"{accepted}")], services =>
        {
            if (traced) services.AddOpenTelemetry().WithTracing(traces => traces.SetSampler(new ParentBasedSampler(new AlwaysOffSampler())).AddAspNetCoreInstrumentation().AddHttpClientInstrumentation());
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/_matrix/client/versions")
        {
            Headers = { { "traceparent", $"00-{Trace}-00f067aa0ba902b7-01" }, { "tracestate", "who=caller" }, { "baggage", "who=caller" } },
        };
        (await gateway.Client.SendAsync(request)).EnsureSuccessStatusCode();
        var seen = Assert.Single(upstream.Requests).Headers;
        var parent = seen.GetValueOrDefault("traceparent", "");
        Assert.Equal(accepted, parent.Contains(Trace, StringComparison.Ordinal));
        Assert.Equal(accepted, parent.EndsWith("-01", StringComparison.Ordinal));
        Assert.Equal(accepted, seen.ContainsKey("tracestate"));
        if (!accepted) Assert.DoesNotContain("baggage", seen.Keys);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/metrics")]
    [InlineData("/_matrix/identity/v2/account")]
    public async Task A_path_of_no_service_is_404_with_cors(string path)
    {
        await using var upstream = await Upstream.Start();
        await using var gateway = await TestGateway.Start(upstream);
        await AssertError(await gateway.Client.GetAsync(path), HttpStatusCode.NotFound, "M_UNRECOGNIZED");
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task The_services_own_error_passes_unchanged()
    {
        await using var upstream = await Upstream.Start(context =>
        {
            context.Response.StatusCode = 404;
            return context.Response.WriteAsync("mine");
        });
        await using var gateway = await TestGateway.Start(upstream);
        var response = await gateway.Client.GetAsync("/_matrix/client/v3/nothing");
        Assert.Equal((HttpStatusCode.NotFound, "mine"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_preflight_is_answered_without_any_service()
    {
        await using var gateway = await TestGateway.Start([("gateway:clusters:client-api", "http://127.0.0.1:1")]);
        var response = await gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Options, "/_matrix/client/v3/login"));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(["*"], response.Headers.GetValues("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_service_that_cannot_be_reached_is_503_with_cors_and_when_to_ask_again()
    {
        await using var gateway = await TestGateway.Start([("gateway:clusters:client-api", "http://127.0.0.1:1")]);
        var response = await gateway.Client.GetAsync("/_matrix/client/versions");
        Assert.Equal(["1"], response.Headers.GetValues("Retry-After"));
        await AssertError(response, HttpStatusCode.ServiceUnavailable, "M_UNKNOWN");
    }

    [Fact]
    public async Task A_service_without_replicas_is_503()
    {
        await using var upstream = await Upstream.Start();
        await using var gateway = await TestGateway.Start(upstream);
        await AssertError(await gateway.Client.GetAsync("/_matrix/key/v2/server"), HttpStatusCode.ServiceUnavailable, "M_UNKNOWN");
    }

    [Fact]
    public async Task A_service_that_stays_silent_is_504()
    {
        await using var upstream = await Upstream.Start(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        await using var gateway = await TestGateway.Start([("gateway:clusters:client-api", upstream.Address), ("gateway:activity_timeout", "1s")]);
        await AssertError(await gateway.Client.GetAsync("/_matrix/client/versions"), HttpStatusCode.GatewayTimeout, "M_UNKNOWN");
    }

    [Theory]
    [InlineData("/_matrix/client/v3/keys/upload", 70_000)]
    [InlineData("/_matrix/media/v3/upload", 3_000_000)]
    public async Task A_body_far_above_the_limit_is_413(string path, int bytes)
    {
        await using var upstream = await Upstream.Start();
        await using var gateway = await TestGateway.Start(
        [
            ("gateway:clusters:client-api", upstream.Address), ("gateway:clusters:media-repo", upstream.Address),
            ("max_request_body_size", "64K"), ("max_upload_size", "1M"),
        ]);
        // one that asks first: who writes on after the answer may find the connection closed before having read it
        using var client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromSeconds(30) }) { BaseAddress = gateway.Client.BaseAddress };
        client.DefaultRequestHeaders.ExpectContinue = true;
        await AssertError(await client.PostAsync(path, new ByteArrayContent(new byte[bytes])), HttpStatusCode.RequestEntityTooLarge, "M_TOO_LARGE");
    }

    [Fact]
    public async Task An_upload_may_be_larger_than_other_bodies()
    {
        await using var upstream = await Upstream.Start(context => context.Response.WriteAsync("stored"));
        await using var gateway = await TestGateway.Start(
            [("gateway:clusters:client-api", upstream.Address), ("gateway:clusters:media-repo", upstream.Address), ("max_request_body_size", "64K")]);
        var response = await gateway.Client.PostAsync("/_matrix/media/v3/upload", new ByteArrayContent(new byte[200_000]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_the_request_at_the_service()
    {
        var arrived = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        await using var upstream = await Upstream.Start(async context =>
        {
            using var registration = context.RequestAborted.Register(aborted.SetResult);
            arrived.SetResult();
            await aborted.Task;
        });
        await using var gateway = await TestGateway.Start(upstream);
        using var leave = new CancellationTokenSource();
        var request = gateway.Client.GetAsync("/_matrix/client/v3/sync", leave.Token);
        await arrived.Task;
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await aborted.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    static async Task AssertError(HttpResponseMessage response, HttpStatusCode status, string errcode)
    {
        Assert.Equal(status, response.StatusCode);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(errcode, body.GetProperty("errcode").GetString());
        Assert.NotEmpty(body.GetProperty("error").GetString()!);
        Assert.Equal(["*"], response.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Single(response.Headers.GetValues("X-Request-Id"));
    }
}
