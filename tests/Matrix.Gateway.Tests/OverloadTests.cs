using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Matrix.Gateway.Forwarding;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.Gateway.Tests;

/// <summary>What the gateway itself does with more than a replica can have under way.</summary>
public sealed class OverloadTests
{
    static readonly (string, string)[] TwoAtOnce = [("overload:always_admitted", "2"), ("overload:most_admitted", "2"), ("overload:patience", "0")];

    [Fact]
    public async Task What_is_too_much_for_a_replica_is_refused_unread_and_others_and_polls_are_not()
    {
        var (begun, finish) = (new SemaphoreSlim(0), new TaskCompletionSource());
        await using var busy = await Upstream.Start(async _ =>
        {
            begun.Release();
            await finish.Task;
        });
        await using var idle = await Upstream.Start();
        await using var gateway = await TestGateway.Start([.. TwoAtOnce, ("gateway:clusters:client-api", busy.Address), ("gateway:clusters:federation-reader", idle.Address)]);
        List<Task<HttpResponseMessage>> underWay = [Post(), Post()];
        for (var i = 0; i < 2; i++) await begun.WaitAsync(TestContext.Current.CancellationToken);

        var refused = await Post();
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 4);
        Assert.Equal("M_LIMIT_EXCEEDED", (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errcode").GetString());
        Assert.StartsWith("HTTP/1.1 429", await AnswerToAHead(gateway), StringComparison.Ordinal);
        underWay.Add(gateway.Sync("poll"));
        await begun.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/_matrix/federation/v1/version")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/health/live")).StatusCode);

        finish.SetResult();
        Assert.All(await Task.WhenAll(underWay), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(HttpStatusCode.OK, (await Post()).StatusCode);
        Assert.Equal(4, busy.Requests.Count);

        Task<HttpResponseMessage> Post() => gateway.Client.PostAsync("/_matrix/client/v3/logout", new StringContent("{}"));
    }

    [Fact]
    public async Task What_a_replica_refuses_as_too_much_looks_to_the_client_as_any_refusal()
    {
        await using var full = await Upstream.Start(context =>
        {
            context.Response.Headers["X-Matrix-Overloaded"] = "1";
            context.Response.Headers.RetryAfter = "3";
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return context.Response.WriteAsync("{}");
        });
        await using var gateway = await TestGateway.Start(full);
        var refused = await gateway.Client.PostAsync("/_matrix/client/v3/logout", new StringContent("{}"));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(["3"], refused.Headers.GetValues("Retry-After"));
        Assert.False(refused.Headers.Contains("X-Matrix-Overloaded"));
        Assert.Single(full.Requests);
    }

    [Fact]
    public async Task How_long_bytes_wait_is_measured_as_often_as_is_asked_and_once_for_those_who_ask_together()
    {
        var time = new FakeTimeProvider();
        using var arrivals = new ArrivalQueue(time);
        Task<TimeSpan>? last = null;
        for (var i = 0; i < 5; i++)
        {
            var measurement = arrivals.Measure();
            Assert.NotSame(last, measurement);
            Assert.Same(measurement, arrivals.Measure());
            Assert.InRange(await measurement, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
            Assert.Same(measurement, arrivals.Measure());
            time.Advance(TimeSpan.FromMilliseconds(15));
            last = measurement;
        }
    }

    // announces a body and never sends it
    static async Task<string> AnswerToAHead(TestGateway gateway)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var address = gateway.Client.BaseAddress!;
        await socket.ConnectAsync(address.Host, address.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"PUT /_matrix/client/v3/profile/@a:b/displayname HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Length: 1000\r\n\r\n"));
        var buffer = new byte[4096];
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer));
    }
}
