using Matrix.Hosting.Overload;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.Hosting.Tests;

/// <summary>What counts as too much to do, and what passes by itself.</summary>
public sealed class StandingQueueTests : IDisposable
{
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20), Long = TimeSpan.FromMilliseconds(90);
    readonly FakeTimeProvider _time = new();
    readonly OverloadMetrics _metrics = new();
    readonly StandingQueue _queue;

    public StandingQueueTests() => _queue = new(_time);

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void What_is_long_all_the_time_stands()
    {
        List<TimeSpan> found = [.. Enumerable.Range(0, 50).Select(_ => Measured(Long)).OfType<TimeSpan>()];
        Assert.InRange(found.Count, 8, 12); // a tenth of a second each
        Assert.All(found, least => Assert.Equal(Long, least));
    }

    [Fact]
    public void What_is_short_now_and_then_does_not()
    {
        List<TimeSpan> found = [.. Enumerable.Range(0, 50).Select(i => Measured(i % 4 == 0 ? Step : Long)).OfType<TimeSpan>()];
        Assert.NotEmpty(found);
        Assert.All(found, least => Assert.Equal(Step, least));
    }

    [Fact]
    public void A_pause_after_a_time_without_much_to_do_says_nothing()
    {
        Measured(Step);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(Measured(TimeSpan.FromMilliseconds(180)));
        Assert.Null(_queue.Overdue(TimeSpan.FromMilliseconds(180)));
    }

    [Fact]
    public void One_that_waits_and_waits_needs_no_second_one()
    {
        Measured(Step);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        Assert.Equal(TimeSpan.FromMilliseconds(250), _queue.Overdue(TimeSpan.FromMilliseconds(250)));
        Assert.Null(_queue.Overdue(TimeSpan.FromMilliseconds(270))); // once in an interval
    }

    [Fact]
    public async Task When_those_behind_refuse_what_was_let_in_fewer_are_let_in()
    {
        using var admission = new Admission(new OverloadOptions { AlwaysAdmitted = 8, MostAdmitted = 100 }, [], _metrics, _time);
        var working = new Queue<Work>();
        while (working.Count < 16) working.Enqueue((await admission.Enter(CancellationToken.None))!);
        for (var i = 0; admission.Limit > 8; i++)
        {
            Assert.True(i < 200, "the limit never comes down");
            working.Dequeue().Dispose();
            admission.NoteTurnedAway();
            _time.Advance(Step);
            if (await admission.Enter(CancellationToken.None) is { } work) working.Enqueue(work);
            while (admission.IsMeasuring) await Task.Yield();
        }
        Assert.InRange(working.Count, 7, 9);
    }

    TimeSpan? Measured(TimeSpan queueing)
    {
        _time.Advance(Step);
        return _queue.Measured(queueing);
    }
}
