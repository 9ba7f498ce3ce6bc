using Matrix.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Matrix.Replication.Tests;

/// <summary>Old entries go, but for those that a durable follower has still to read; a process that slept past them ends.</summary>
public sealed class LogPurgeTests : LogTests
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Follow(1000);
    }

    [Fact]
    public async Task Entries_go_when_they_are_older_than_the_retention_and_the_log_goes_on()
    {
        var purge = Purge(TimeSpan.Zero);
        await Append(20);
        Assert.Equal(0, await purge.Purge(Ct)); // it does not know yet how old they are
        await Append(5);
        Assert.Equal(20, await purge.Purge(Ct));
        Assert.Equal([21, 22, 23, 24, 25], await Positions());

        await using var late = await LogHost.Start(_database);
        Assert.False(late.Follower.Recent.TryRead(new LogPosition(19), out _));
        Assert.True(late.Follower.Recent.TryRead(new LogPosition(20), out var entries));
        Assert.Equal(5, entries.Count);
        var position = await Append(1);
        await late.Follower.WaitFor(position, Ct);
        Assert.Equal(26, position.Value);
    }

    [Fact]
    public async Task What_is_young_stays()
    {
        var purge = Purge(TimeSpan.FromHours(1));
        await Append(3);
        await purge.Purge(Ct);
        await Append(1);
        Assert.Equal(0, await purge.Purge(Ct));
        Assert.Equal(4, (await Positions()).Count);
    }

    [Fact]
    public async Task What_a_durable_follower_has_not_read_stays()
    {
        var purge = Purge(TimeSpan.Zero);
        await Append(10);
        await Follow(7);
        await purge.Purge(Ct);
        Assert.Equal(7, await purge.Purge(Ct));
        Assert.Equal([8, 9, 10], await Positions());
    }

    [Fact]
    public async Task A_process_that_slept_for_too_long_ends()
    {
        await Append(10);
        var behind = new LogReader(Db);
        await Db.Execute("DELETE FROM log WHERE position <= 5");
        Assert.Equal(6, (await behind.ReadAfter(new LogPosition(2), 100, Ct))[0].Position.Value);
        var follower = _host.Follower;
        await Db.Execute("UPDATE log_head SET position = position + 3");
        await _host.Append(new Note(Guid.NewGuid()));
        var ended = await Assert.ThrowsAsync<LogPurgedException>(() => follower.ExecuteTask!.WaitAsync(Ct));
        Assert.Contains("Start it again", ended.Message, StringComparison.Ordinal);
    }

    LogPurge Purge(TimeSpan retention) => new(Db, _host.Services.GetRequiredService<Leases>(), new LogPurgeOptions { LogRetention = retention },
        TimeProvider.System, NullLogger<LogPurge>.Instance);

    async Task<LogPosition> Append(int entries)
    {
        var position = await _host.Append(new Note(Guid.NewGuid(), entries));
        await _host.Follower.WaitFor(position, Ct);
        return position;
    }

    /// <summary>The search index is a durable follower: it has read up to here.</summary>
    Task<int> Follow(long position) => Db.Execute("UPDATE search_cursor SET position = @position", new { position });

    Task<IReadOnlyList<long>> Positions() => Db.List<long>("SELECT position FROM log ORDER BY position", null, Ct);
}
