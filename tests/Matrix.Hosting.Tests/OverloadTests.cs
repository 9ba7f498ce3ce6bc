using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Matrix.Hosting.Overload;
using Matrix.Hosting.Tests.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.Hosting.Tests;

/// <summary>What a process does with more requests than it can answer.</summary>
public sealed class OverloadTests : IDisposable
{
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);
    readonly FakeTimeProvider _time = new();
    readonly OverloadMetrics _metrics = new();
    readonly Admission _admission;
    TimeSpan _queueing;

    public OverloadTests() => _admission = new(new OverloadOptions { AlwaysAdmitted = 8, MostAdmitted = 100, Patience = TimeSpan.FromDays(1) },
        [new QueueProbe("test", _ => ValueTask.FromResult(_queueing))], _metrics, _time);

    public void Dispose()
    {
        _admission.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task While_nothing_queues_all_come_in_however_long_those_before_take()
    {
        var working = new List<Work?>();
        while (working.Count < 60) working.Add(await LetIn());
        Assert.DoesNotContain(null, working);
        Assert.Equal(60, _admission.Working);
    }

    [Fact]
    public async Task What_queues_too_long_has_requests_refused_at_once_down_to_what_is_always_let_in()
    {
        for (var i = 0; i < 60; i++) await LetIn();
        await NothingIsMeasured();
        _queueing = TimeSpan.FromSeconds(1);
        var steps = 0;
        while (_admission.Limit > 8)
        {
            Assert.True(++steps < 100, "the limit never comes down");
            await NothingIsMeasured();
            _time.Advance(Step);
            var entered = _admission.Enter(CancellationToken.None);
            if (_admission.Limit < 60) Assert.True(entered.IsCompleted);
            _ = await Measured(entered);
        }
        Assert.Null(await _admission.Enter(CancellationToken.None));
    }

    [Fact]
    public async Task When_nothing_queues_any_more_all_come_in_again()
    {
        var working = new List<Work?>();
        for (var i = 0; i < 60; i++) working.Add(await LetIn());
        await NothingIsMeasured();
        _queueing = TimeSpan.FromSeconds(1);
        while (_admission.Limit > 8)
        {
            await NothingIsMeasured();
            _time.Advance(Step);
            (await Measured(_admission.Enter(CancellationToken.None)))?.Dispose();
        }
        await NothingIsMeasured();
        _queueing = TimeSpan.Zero;
        foreach (var work in working) work?.Dispose();
        Assert.Equal(0, _admission.Working);
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 60; i++) Assert.NotNull(await LetIn());
    }

    [Fact]
    public async Task A_place_that_gets_free_is_given_to_whoever_waits()
    {
        var working = new Queue<Work>();
        using var full = new Admission(new OverloadOptions { AlwaysAdmitted = 8, MostAdmitted = 8 }, [], _metrics, _time);
        for (var i = 0; i < 8; i++) working.Enqueue((await full.Enter(CancellationToken.None))!);
        var waiting = full.Enter(CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        working.Dequeue().Dispose();
        Assert.NotNull(await waiting);
        Assert.Equal(8, full.Working);
        // and is not kept by one who gave up
        var late = full.Enter(CancellationToken.None);
        while (!late.IsCompleted)
        {
            _time.Advance(Step);
            await Task.Yield();
        }
        Assert.Null(await late);
        working.Dequeue().Dispose();
        Assert.Equal(7, full.Working);
    }

    [Fact]
    public async Task Who_waits_in_a_line_that_stands_is_sent_away_and_for_a_while_hardly_anybody_waits_again()
    {
        using var full = new Admission(new OverloadOptions { AlwaysAdmitted = 16, MostAdmitted = 16, Patience = TimeSpan.FromDays(1) }, [], _metrics, _time);
        var working = new Queue<Work>();
        for (var i = 0; i < 16; i++) working.Enqueue((await full.Enter(CancellationToken.None))!);
        var line = Enumerable.Range(0, 12).Select(_ => full.Enter(CancellationToken.None).AsTask()).ToList();
        // each that is answered makes place for one, and another comes: the line moves, and is as long as before
        for (var steps = 1; !line[^1].IsCompleted; steps++)
        {
            Assert.True(steps < 50, "the line goes on standing");
            while (full.IsMeasuring) await Task.Yield();
            _time.Advance(Step);
            if (steps % 5 != 0) continue;
            working.Dequeue().Dispose();
            line.Add(full.Enter(CancellationToken.None).AsTask());
        }
        Assert.Contains(null, await Task.WhenAll(line));
        Assert.Equal(16, full.Limit); // what is at work did not queue

        Assert.Null(await full.Enter(CancellationToken.None));
        while (full.IsMeasuring) await Task.Yield();
        _time.Advance(TimeSpan.FromSeconds(2));
        var again = Enumerable.Range(0, 12).Select(_ => full.Enter(CancellationToken.None).AsTask()).ToList();
        Assert.Equal(10, again.Count(entering => entering is { IsCompletedSuccessfully: true, Result: null }));
    }

    [Fact]
    public async Task What_is_too_much_is_told_when_to_come_again_and_what_waits_for_news_takes_no_place()
    {
        var (begun, finish) = (new SemaphoreSlim(0), new TaskCompletionSource());
        await using var app = await TestApp.Start(
            map =>
            {
                map.MapGet("/work", async () =>
                {
                    begun.Release();
                    await finish.Task;
                });
                map.MapGet("/poll", async () =>
                {
                    Work.OnlyWaits();
                    begun.Release();
                    await finish.Task;
                });
            },
            null, ("overload:always_admitted", "2"), ("overload:most_admitted", "2"), ("overload:patience", "10ms"));
        // one by one: each is at work for a moment, until it begins to wait
        var (polls, works) = (new List<Task<HttpResponseMessage>>(), new List<Task<HttpResponseMessage>>());
        for (var i = 0; i < 6; i++) await Begin("/poll", polls);
        for (var i = 0; i < 2; i++) await Begin("/work", works);

        var refused = await app.Client.GetAsync("/work");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 4);
        var body = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("M_LIMIT_EXCEEDED", body.GetProperty("errcode").GetString());
        Assert.InRange(body.GetProperty("retry_after_ms").GetInt32(), 1000, 4000);
        Assert.Equal(HttpStatusCode.OK, (await app.Client.GetAsync("/health/live")).StatusCode);
        app.Services.GetRequiredService<OverloadMetrics>().Queued(TimeSpan.FromMilliseconds(30));
        var metrics = await app.Client.GetStringAsync("/metrics");
        Assert.Contains("matrix_overload_refused_total", metrics, StringComparison.Ordinal);
        Assert.Contains(metrics.Split('\n'), line => line.StartsWith("matrix_overload_queueing_seconds_bucket", StringComparison.Ordinal) && line.Contains("le=\"0.05\"", StringComparison.Ordinal));

        finish.SetResult();
        Assert.All(await Task.WhenAll(polls.Concat(works)), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(HttpStatusCode.OK, (await app.Client.GetAsync("/work")).StatusCode);

        async Task Begin(string path, List<Task<HttpResponseMessage>> to)
        {
            to.Add(app.Client.GetAsync(path));
            await begun.WaitAsync();
        }
    }

    /// <summary>Time goes on until the request is let in or refused.</summary>
    async Task<Work?> LetIn() => await Measured(_admission.Enter(CancellationToken.None));

    async Task NothingIsMeasured()
    {
        while (_admission.IsMeasuring) await Task.Yield();
    }

    // measurements run on the pool by themselves: time moves while they do
    async Task<Work?> Measured(ValueTask<Work?> entered)
    {
        while (!entered.IsCompleted)
        {
            await Task.Yield();
            if (!_admission.IsMeasuring) _time.Advance(TimeSpan.FromMilliseconds(5));
        }
        return await entered;
    }
}
