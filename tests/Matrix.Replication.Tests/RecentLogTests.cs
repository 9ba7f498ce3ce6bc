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

    [Fact]
    public void Positions_that_were_skipped_are_no_hole()
    {
        var recent = new RecentLog(4);
        recent.Start(new LogPosition(10), []);
        recent.Append([.. Entries(11, 12), new LogEntry(new LogPosition(1000), LogKind.Event, Skipped: 987), .. Entries(1001, 1001)]);
        Assert.Equal([12, 1000, 1001], Read(11, long.MaxValue));
        Assert.Equal([1000, 1001], Read(500, long.MaxValue));
        Assert.Equal([12], Read(11, 999));
        Assert.Empty(Read(13, 999));
        recent.Append(Entries(1002, 1004));
        Assert.Equal(new LogPosition(1000), recent.Floor);
        Assert.False(recent.TryRead(new LogPosition(999), out _));
        Assert.Equal([1001, 1002, 1003, 1004], Read(1000, 2000));

        IEnumerable<long> Read(long after, long to)
        {
            Assert.True(recent.TryRead(new LogPosition(after), new LogPosition(to), out var entries));
            return entries.Select(e => e.Position.Value);
        }
    }

    static List<LogEntry> Entries(int from, int to) =>
        [.. Enumerable.Range(from, to - from + 1).Select(p => new LogEntry(new LogPosition(p), LogKind.Event))];
}
