namespace Matrix.Replication.Tests;

public sealed class RecentLogTests
{
    [Fact]
    public void It_forgets_the_oldest_and_says_so()
    {
        var recent = new RecentLog(4);
        recent.Start(new LogPosition(10), []);
        recent.Append(Entries(11, 16));
        Assert.Equal(new LogPosition(12), recent.Floor);
        Assert.False(recent.TryRead(new LogPosition(11), out _));
        Assert.True(recent.TryRead(new LogPosition(12), out var all));
        Assert.Equal([13, 14, 15, 16], all.Select(e => e.Position.Value));
    }

    [Fact]
    public void It_reads_a_range_and_nothing_beyond_the_newest()
    {
        var recent = new RecentLog(4);
        recent.Start(LogPosition.Start, []);
        recent.Append(Entries(1, 3));
        Assert.True(recent.TryRead(new LogPosition(1), new LogPosition(2), out var one));
        Assert.Equal([2], one.Select(e => e.Position.Value));
        Assert.True(recent.TryRead(new LogPosition(3), out var none));
        Assert.Empty(none);
        Assert.True(recent.TryRead(new LogPosition(99), out var beyond));
        Assert.Empty(beyond);
    }

    [Fact]
    public void It_holds_no_holes()
    {
        var recent = new RecentLog(8);
        recent.Start(LogPosition.Start, []);
        recent.Append(Entries(1, 3));
        recent.Append(Entries(6, 7));
        Assert.False(recent.TryRead(new LogPosition(2), out _));
        Assert.True(recent.TryRead(new LogPosition(5), out var entries));
        Assert.Equal([6, 7], entries.Select(e => e.Position.Value));
    }

    static List<LogEntry> Entries(int from, int to) =>
        [.. Enumerable.Range(from, to - from + 1).Select(p => new LogEntry(new LogPosition(p), LogKind.Event))];
}
