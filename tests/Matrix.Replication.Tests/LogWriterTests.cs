using System.Collections.Concurrent;
using Matrix.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.Replication.Tests;

/// <summary>Changes that are written together: their positions, and which of them fails.</summary>
public sealed class LogWriterTests : LogTests
{
    [Fact]
    public async Task A_change_gets_the_position_of_its_last_entry()
    {
        Assert.Equal(new LogPosition(3), await _host.Append(new Note(Guid.NewGuid(), entries: 3)));
        Assert.Equal(new LogPosition(4), await _host.Append(new Note(Guid.NewGuid())));
        Assert.Equal([1L, 2L, 3L, 4L], await Db.List<long>("SELECT position FROM log ORDER BY position"));
    }

    [Fact]
    public async Task The_commands_of_a_change_see_the_positions_of_its_entries()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => _host.Append(new Note(Guid.NewGuid(), 1 + i % 3))));
        var logged = await Db.List<string>("SELECT key FROM log ORDER BY position");
        Assert.Equal(logged, await Note.List(Db));
    }

    [Fact]
    public async Task Changes_that_are_ready_together_share_commits()
    {
        var before = await Commits();
        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => _host.Append(new Note(Guid.NewGuid()))));
        Assert.InRange(await Commits() - before, 1, 100);
    }

    [Fact]
    public async Task Only_the_change_whose_command_fails_fails()
    {
        var taken = Guid.NewGuid();
        await _host.Append(new Note(taken));
        var good = Enumerable.Range(0, 60).Select(_ => Guid.NewGuid()).ToList();
        var appends = good.Select(id => _host.Append(new Note(id))).ToList();
        var bad = Enumerable.Range(0, 5).Select(_ => _host.Append(new Note(taken))).ToList();
        appends.AddRange(Enumerable.Range(0, 60).Select(_ => Guid.NewGuid()).Select(id => _host.Append(new Note(id))));

        var positions = await Task.WhenAll(appends);
        foreach (var failing in bad)
            Assert.Equal(PostgresErrorCodes.UniqueViolation, (await Assert.ThrowsAsync<PostgresException>(() => failing)).SqlState);
        Assert.Equal(Enumerable.Range(2, 120), positions.Select(p => (int)p.Value).Order());
        Assert.Equal(121, await Db.GetOne<long>("SELECT position FROM log_head"));
    }

    [Fact]
    public async Task A_change_is_shown_the_rows_of_its_own_commands_however_many_there_are()
    {
        var reading = Enumerable.Range(0, 60).Select(i => new Reading(i % 4)).ToList();
        var others = Enumerable.Range(0, 60).Select(_ => new Note(Guid.NewGuid()));
        await Task.WhenAll(reading.Zip(others, (one, other) => new LogChange[] { other, one }).SelectMany(pair => pair).Select(_host.Append));
        Assert.All(reading, change => Assert.Equal(Enumerable.Range(1, change.Rows), change.Read));
        Assert.All(reading, change => Assert.Equal([change.Rows, 7], change.Counts));
    }

    [Fact]
    public async Task A_change_that_throws_while_it_adds_commands_fails_alone()
    {
        var bad = _host.Append(new Broken());
        var good = _host.Append(new Note(Guid.NewGuid()));
        await Assert.ThrowsAsync<NotSupportedException>(() => bad);
        Assert.Equal(new LogPosition(1), await good);
    }

    [Fact]
    public async Task A_change_that_only_fails_at_the_commit_is_found_and_fails_alone()
    {
        await Db.Execute("CREATE TABLE deferred (x int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        const string one = "INSERT INTO deferred VALUES (1)";
        await _host.Append(new Note(Guid.NewGuid(), extraSql: one));
        var before = Enumerable.Range(0, 10).Select(_ => _host.Append(new Note(Guid.NewGuid()))).ToList();
        var bad = _host.Append(new Note(Guid.NewGuid(), extraSql: one));
        var after = Enumerable.Range(0, 10).Select(_ => _host.Append(new Note(Guid.NewGuid()))).ToList();
        Assert.Equal(PostgresErrorCodes.UniqueViolation, (await Assert.ThrowsAsync<PostgresException>(() => bad)).SqlState);
        await Task.WhenAll(before.Concat(after));
        Assert.Equal(21, await Db.GetOne<long>("SELECT count(*) FROM notes"));
    }

    [Fact]
    public async Task A_moved_head_has_an_exception_of_its_own()
    {
        var stale = new Note(Guid.NewGuid(), extraSql: "SELECT advance_room_head(7, 1, '{}', ''::bytea, 1, log_position(0))");
        await Assert.ThrowsAsync<HeadMovedException>(() => _host.Append(stale));
        Assert.Empty(await Note.List(Db));
    }

    [Fact]
    public async Task Two_writers_take_turns_and_leave_no_hole()
    {
        await using var other = await LogHost.Start(_database);
        var positions = new ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(0, 400).Select(async i =>
            positions.Add((await (i % 2 == 0 ? _host : other).Append(new Note(Guid.NewGuid()))).Value)));
        Assert.Equal(Enumerable.Range(1, 400).Select(i => (long)i), positions.Order());
    }

    [Fact]
    public async Task A_caller_that_leaves_takes_back_what_still_waits_and_nothing_else()
    {
        await using var holder = await Db.BeginTransaction();
        await holder.Execute("UPDATE log_head SET position = position");
        using var leaving = new CancellationTokenSource();
        var beingWritten = _host.Writer.Append(new Note(Guid.NewGuid()), leaving.Token);
        await WaitUntilOneWaitsForTheLock();
        var waiting = _host.Writer.Append(new Note(Guid.NewGuid()), leaving.Token);
        var staying = _host.Append(new Note(Guid.NewGuid()));

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.False(beingWritten.IsCompleted);
        await holder.CommitAsync();
        Assert.Equal(new LogPosition(1), await beingWritten);
        Assert.Equal(new LogPosition(2), await staying);
    }

    [Fact]
    public async Task A_stop_writes_what_was_accepted()
    {
        var stopping = await LogHost.Start(_database);
        var appends = Enumerable.Range(0, 300).Select(_ => stopping.Append(new Note(Guid.NewGuid()))).ToList();
        await stopping.DisposeAsync();
        await Task.WhenAll(appends);
        Assert.Equal(300, (await Note.List(Db)).Count);
        Assert.Equal(0, await Db.GetOne<int>("SELECT count(*)::int FROM log_writers WHERE batch > 0"));
    }

    [Fact]
    public async Task A_full_queue_makes_callers_wait()
    {
        await using var small = await LogHost.Start(_database,
            builder => builder.Services.AddSingleton(new LogWriterOptions { QueueCapacity = 2, MaxChangesPerBatch = 1 }));
        await using var holder = await Db.BeginTransaction();
        await holder.Execute("UPDATE log_head SET position = position");
        using var leaving = new CancellationTokenSource();
        var appends = Enumerable.Range(0, 10).Select(_ => small.Writer.Append(new Note(Guid.NewGuid()), leaving.Token)).ToList();
        await WaitUntilOneWaitsForTheLock();
        await leaving.CancelAsync();
        await holder.CommitAsync();
        var stored = 0;
        foreach (var append in appends)
        {
            try
            {
                await append;
                stored++;
            }
            catch (OperationCanceledException)
            {
                // was still waiting
            }
        }
        Assert.Equal(1, stored);
    }

    Task<long> Commits() => Db.GetOne<long>("SELECT coalesce(sum(batch), 0)::bigint FROM log_writers");

    /// <summary>Asks for some rows, or none, and then for one more.</summary>
    sealed class Reading(int rows) : LogChange
    {
        public int Rows => rows;

        public List<int> Read { get; } = [];

        public List<int> Counts { get; } = [];

        public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.Profile)];

        public override bool ReadsRows => true;

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
        {
            batch.Add("SELECT generate_series(1, $1)", rows);
            batch.Add("UPDATE log_head SET position = position WHERE false");
            batch.Add("SELECT 7");
        }

        public override async Task ReadRows(NpgsqlDataReader reader, CancellationToken ct)
        {
            var read = new List<int>();
            while (await reader.ReadAsync(ct))
                read.Add(reader.GetInt32(0));
            if (Counts.Count == 0)
                Read.AddRange(read);
            Counts.Add(Counts.Count == 0 ? read.Count : read.Single());
        }
    }

    sealed class Broken : LogChange
    {
        public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.Profile)];

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
        {
            batch.Add("SELECT 1");
            throw new NotSupportedException();
        }
    }
}
