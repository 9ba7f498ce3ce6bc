using Matrix.Storage;

namespace Matrix.Replication.Tests;

/// <summary>Every entry comes once and in order, whatever becomes of messages.</summary>
public sealed class LogFollowerTests : LogTests
{
    [Fact]
    public async Task A_subscriber_has_seen_what_a_waiter_waited_for()
    {
        var seen = new List<long>();
        using var subscription = _host.Follower.Subscribe(entries => seen.AddRange(entries.Select(e => e.Position.Value)));
        for (var i = 0; i < 20; i++)
        {
            var position = await _host.Append(new Note(Guid.NewGuid(), 2));
            await _host.Follower.WaitFor(position, Ct);
            Assert.Equal(position.Value, seen[^1]);
        }
        Assert.Equal(Enumerable.Range(1, 40).Select(i => (long)i), seen);
    }

    [Fact]
    public async Task What_another_process_committed_unheard_is_found_when_somebody_waits_for_it()
    {
        await using var other = await LogHost.Start(_database);
        var position = await other.Append(new Note(Guid.NewGuid()));
        await _host.Follower.WaitFor(position, Ct);
        Assert.True(_host.Follower.Recent.TryRead(LogPosition.Start, out var entries));
        Assert.Equal([position], entries.Select(e => e.Position));
    }

    [Fact]
    public async Task What_nobody_heard_of_is_found_by_the_self_check()
    {
        await using var other = await LogHost.Start(_database);
        var seen = new TaskCompletionSource<LogPosition>();
        using var subscription = _host.Follower.Subscribe(entries => seen.TrySetResult(entries[^1].Position));
        Assert.Equal(await other.Append(new Note(Guid.NewGuid())), await seen.Task.WaitAsync(Ct));
    }

    [Fact]
    public async Task A_waiter_for_a_position_that_never_comes_leaves_when_it_is_cancelled()
    {
        using var leaving = new CancellationTokenSource();
        var waiting = _host.Follower.WaitFor(new LogPosition(long.MaxValue), leaving.Token);
        await _host.Follower.WaitFor(await _host.Append(new Note(Guid.NewGuid())), Ct);
        Assert.False(waiting.IsCompleted);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_follower_that_starts_late_has_the_newest_entries_and_the_position()
    {
        var position = await _host.Append(new Note(Guid.NewGuid(), 5));
        await using var late = await LogHost.Start(_database);
        Assert.Equal(position, late.Follower.Position);
        Assert.True(late.Follower.Recent.TryRead(new LogPosition(2), out var entries));
        Assert.Equal([3, 4, 5], entries.Select(e => e.Position.Value));
    }

    [Fact]
    public async Task A_failing_subscriber_does_not_stop_the_log()
    {
        using var failing = _host.Follower.Subscribe(_ => throw new NotSupportedException());
        await _host.Follower.WaitFor(await _host.Append(new Note(Guid.NewGuid())), Ct);
        await _host.Follower.WaitFor(await _host.Append(new Note(Guid.NewGuid())), Ct);
    }

    [Fact]
    public async Task Positions_that_are_skipped_are_nobodys_and_nobody_stumbles_over_them()
    {
        await using var other = await LogHost.Start(_database);
        var (told, found) = (new List<LogEntry>(), new List<LogEntry>());
        using var one = _host.Follower.Subscribe(told.AddRange);
        using var two = other.Follower.Subscribe(found.AddRange);
        await Task.WhenAll(Enumerable.Range(0, 90).Select(i => _host.Append(new Note(Guid.NewGuid(), 1 + i % 2, skips: i % 9 == 4 ? 1000 : 0))));
        var last = await _host.Append(new Note(Guid.NewGuid()));
        Assert.Equal(135 + 1 + 10 * 1000, last.Value);
        await Task.WhenAll(_host.Follower.WaitFor(last, Ct), other.Follower.WaitFor(last, Ct));

        Assert.Equal(found, told);
        Assert.Equal(await Note.List(Db), told.Select(e => e.Key));
        Assert.Equal(10, told.Count(e => e.Skipped == 1000));
        Assert.Equal(Enumerable.Range(0, told.Count - 1).Select(i => told[i + 1].Skipped + 1), told.Zip(told.Skip(1), (a, b) => b.Position.Value - a.Position.Value));
        await using var late = await LogHost.Start(_database);
        await late.Follower.WaitFor(await _host.Append(new Note(Guid.NewGuid(), skips: 5)), Ct);
        Assert.Equal(last.Value + 6, late.Follower.Position.Value);
    }

    [Fact]
    public async Task Messages_with_entries_that_do_not_fit_their_range_are_only_hints()
    {
        await using var other = await LogHost.Start(_database);
        var position = await other.Append(new Note(Guid.NewGuid(), 2));
        var forged = new LogEntry(new LogPosition(9), LogKind.Profile);
        _host.Follower.Offer(new LogAdvanced(LogPosition.Start, position, [forged]));
        await _host.Follower.WaitFor(position, Ct);
        Assert.True(_host.Follower.Recent.TryRead(LogPosition.Start, out var entries));
        Assert.Equal([1, 2], entries.Select(e => e.Position.Value));
    }
}
