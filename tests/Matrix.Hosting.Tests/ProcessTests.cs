using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Matrix.Hosting.Tests.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.Hosting.Tests;

/// <summary>What every process answers about itself, and how it stops.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task A_process_is_live_and_ready()
    {
        await using var app = await TestApp.Start(_ => { });
        Assert.Equal(HttpStatusCode.OK, (await app.Client.GetAsync("/health/live")).StatusCode);
        var ready = await app.Client.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal("ready", (await ready.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_failing_check_makes_it_not_ready_but_leaves_it_live()
    {
        await using var app = await TestApp.Start(
            _ => { }, builder => builder.Services.AddHealthChecks().AddCheck("database", () => HealthCheckResult.Unhealthy("gone")));
        var ready = await app.Client.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal("Unhealthy", (await ready.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("checks").GetProperty("database").GetString());
        Assert.Equal(HttpStatusCode.OK, (await app.Client.GetAsync("/health/live")).StatusCode);
    }

    [Fact]
    public async Task Prometheus_is_told_whether_it_is_ready_and_why_not()
    {
        await using var app = await TestApp.Start(_ => { }, builder => builder.Services.AddHealthChecks()
            .AddCheck("database", () => HealthCheckResult.Unhealthy("gone")).AddCheck("bus", () => HealthCheckResult.Degraded("slower")));
        await app.Client.GetAsync("/health/ready");
        var metrics = await app.Client.GetStringAsync("/metrics");
        Assert.Matches("""\nmatrix_health_ready\{[^\n]*\} 0\n""", metrics);
        Assert.Matches("""\nmatrix_health_check\{[^\n]*check="database"\} 0\n""", metrics);
        Assert.Matches("""\nmatrix_health_check\{[^\n]*check="bus"\} 0\.5\n""", metrics);
    }

    [Fact]
    public async Task Prometheus_finds_the_metrics_of_requests()
    {
        await using var app = await TestApp.Start(map => map.MapGet("/hello", () => "hi"));
        await app.Client.GetStringAsync("/hello");
        var metrics = await app.Client.GetStringAsync("/metrics");
        Assert.Contains("http_server_request_duration_seconds_count", metrics, StringComparison.Ordinal);
        Assert.Contains("http_route=\"/hello\"", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_ends_long_polls_early_sends_new_requests_away_and_finishes_those_under_way()
    {
        var time = new FakeTimeProvider();
        var polling = new TaskCompletionSource();
        var working = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        await using var app = await TestApp.Start(
            map =>
            {
                map.MapGet("/poll", async (Shutdown shutdown) =>
                {
                    polling.SetResult();
                    await Task.Delay(Timeout.Infinite, shutdown.Draining).ContinueWith(_ => { }, TaskScheduler.Default);
                    return "early";
                });
                map.MapGet("/work", async () =>
                {
                    working.SetResult();
                    await finish.Task;
                    return "done";
                });
            },
            builder => builder.Services.AddSingleton<TimeProvider>(time),
            ("shutdown_drain", "10s"));
        var poll = app.Client.GetStringAsync("/poll");
        var work = app.Client.GetStringAsync("/work");
        await Task.WhenAll(polling.Task, working.Task);

        var stopped = app.Stop();
        Assert.Equal("early", await poll);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await app.Client.GetAsync("/health/live")).StatusCode);
        var refused = await app.Client.GetAsync("/work");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.True(refused.Headers.Contains("X-Matrix-Draining"));
        Assert.False(work.IsCompleted);

        finish.SetResult();
        Assert.Equal("done", await work);
        Assert.False(stopped.IsCompleted, "the port must stay open while it drains");
        time.Advance(TimeSpan.FromSeconds(10));
        await stopped;
    }

    [Fact]
    public async Task A_request_id_comes_back_and_is_made_where_none_came()
    {
        await using var app = await TestApp.Start(map => map.MapGet("/id", (HttpContext context) => context.TraceIdentifier));
        var request = new HttpRequestMessage(HttpMethod.Get, "/id") { Headers = { { "X-Request-Id", "abc-1" } } };
        var response = await app.Client.SendAsync(request);
        Assert.Equal("abc-1", await response.Content.ReadAsStringAsync());
        Assert.Equal(["abc-1"], response.Headers.GetValues("X-Request-Id"));
        Assert.Equal(32, (await app.Client.GetStringAsync("/id")).Length);
    }
}
