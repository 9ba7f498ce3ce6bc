using Microsoft.Extensions.Time.Testing;

namespace Matrix.Replication.Tests;

/// <summary>What is told of how long changes wait for a commit, by which a process decides that it has too much to do.</summary>
public sealed class BatchQueueTests
{
    readonly FakeTimeProvider _time = new();
    readonly BatchQueue _queue;

    public BatchQueueTests() => _queue = new(_time);

    [Fact]
    public void What_is_being_written_has_waited_although_the_next_has_just_come()
    {
        Commit(waited: 0, takes: 2);
        _queue.Begun(Ms(40));
        Assert.Equal(Ms(38), _queue.Time(next: Ms(1)));
        Assert.Equal(Ms(58), _queue.Time(next: Ms(60)));
        _queue.Ended();
        Assert.Equal(TimeSpan.Zero, _queue.Time(TimeSpan.Zero));
    }

    [Fact]
    public void A_commit_that_takes_long_whatever_is_in_it_is_no_queue()
    {
        for (var i = 0; i < 100; i++) Commit(waited: 38, takes: 40);
        _queue.Begun(Ms(40));
        Assert.Equal(TimeSpan.Zero, _queue.Time(next: Ms(39)));
        Assert.Equal(Ms(60), _queue.Time(next: Ms(100)));
    }

    [Fact]
    public void When_commits_have_become_slower_that_is_known_after_a_while()
    {
        Commit(waited: 0, takes: 1);
        for (var i = 0; i < 3000; i++) Commit(waited: 38, takes: 40); // two minutes
        Assert.Equal(Ms(5), _queue.Time(next: Ms(45)));
        Commit(waited: 0, takes: 3);
        Assert.Equal(Ms(42), _queue.Time(next: Ms(45)));
    }

    void Commit(int waited, int takes)
    {
        _queue.Begun(Ms(waited));
        _time.Advance(Ms(takes));
        _queue.Ended();
    }

    static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
