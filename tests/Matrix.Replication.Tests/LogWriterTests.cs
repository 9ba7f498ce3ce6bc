using System.Collections.Concurrent;
using Matrix.Storage;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Matrix.Replication.Tests;

public sealed class LogWriterTests : IAsyncLifetime
{
    TestDatabase _database = null!;
    LogHost _host = null!;

    NpgsqlConnectionStringBuilder At => new(_database.ConnectionString);

    NpgsqlDataSource Db => _database.Db;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create();
        await Db.Execute(Note.Schema);
        _host = await LogHost.Start(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _database.DisposeAsync();
    }

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
    public async Task A_lost_connection_neither_loses_nor_doubles_a_change()
    {
        var ids = new ConcurrentBag<string>();
        using var done = new CancellationTokenSource();
        var killer = Task.Run(async () =>
        {
            // a change is given up when it is hit again and again: after three hits one has to get through
            long? head = null;
            for (int kills = 0, inARow = 0; kills < 15 && !done.IsCancellationRequested;)
            {
                var now = await Db.GetOne<long>("SELECT position FROM log_head");
                if (now != head)
                    (head, inARow) = (now, 0);
                if (inARow == 3)
                    continue;
                var hits = await Db.GetOne<int>("""
                    SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity
                    WHERE application_name LIKE 'log-writer%' AND datname = current_database() AND random() < 0.3 AND state <> 'idle'
                    """);
                (kills, inARow) = (kills + hits, inARow + hits);
            }
        });
        while (!killer.IsCompleted)
        {
            await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
            {
                var id = Guid.NewGuid();
                await _host.Append(new Note(id));
                ids.Add($"{id}/0");
            }));
        }
        await killer;
        Assert.Equal(ids.Order(), (await Note.List(Db)).Order());
        Assert.Equal(await Note.List(Db), await Db.List<string>("SELECT key FROM log ORDER BY position"));
        Assert.Equal(ids.Count, await Db.GetOne<long>("SELECT position FROM log_head"));
    }

    [Fact]
    public async Task A_commit_whose_answer_is_lost_counts_and_is_not_repeated()
    {
        await using var proxy = new TcpProxy(At.Host!, At.Port);
        await using var far = await LogHost.Start(_database, Through(proxy));
        await far.Append(new Note(Guid.NewGuid()));

        proxy.SwallowAnswers = true;
        var append = far.Append(new Note(Guid.NewGuid()));
        await Eventually.True("it is committed", async () => (await Note.List(Db)).Count == 2);
        Assert.False(append.IsCompleted);
        proxy.GoAway();
        proxy.SwallowAnswers = false;
        proxy.ComeBack();

        Assert.Equal(new LogPosition(2), await append);
        Assert.Equal(new LogPosition(3), await far.Append(new Note(Guid.NewGuid())));
        Assert.Equal(3, (await Note.List(Db)).Count);
    }

    [Fact]
    public async Task A_batch_that_is_left_behind_in_the_server_cannot_be_committed_any_more()
    {
        await using var proxy = new TcpProxy(At.Host!, At.Port);
        await using var far = await LogHost.Start(_database, Through(proxy));
        await far.Append(new Note(Guid.NewGuid()));
        await using var holder = await Db.BeginTransaction();
        await holder.Execute("UPDATE log_head SET position = position");

        var append = far.Append(new Note(Guid.NewGuid()));
        await WaitUntilOneWaitsForTheLock();
        proxy.GoAway();
        proxy.ComeBack();
        await Eventually.True("what was left behind is fenced off", async () => await Db.GetOne<long>("SELECT max(fenced) FROM log_writers") > 0);
        await holder.CommitAsync();

        Assert.Equal(new LogPosition(2), await append);
        Assert.Equal(2, (await Note.List(Db)).Count);
    }

    [Fact]
    public async Task The_server_refuses_a_fenced_batch()
    {
        await _host.Append(new Note(Guid.NewGuid()));
        await Db.Execute("UPDATE log_writers SET fenced = 9");
        var refusal = await Assert.ThrowsAsync<PostgresException>(
            () => Db.GetOne<long>("SELECT log_begin(writer, 9, 1) FROM log_writers WHERE fenced = 9"));
        Assert.Equal("MX002", refusal.SqlState);
        Assert.Equal(1, await Db.GetOne<long>("SELECT position FROM log_head"));
    }

    [Fact]
    public async Task A_writer_whose_row_was_cleaned_away_writes_it_anew()
    {
        await _host.Append(new Note(Guid.NewGuid()));
        await Db.Execute("DELETE FROM log_writers");
        Assert.Equal(new LogPosition(2), await _host.Append(new Note(Guid.NewGuid())));
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

    [Fact]
    public async Task A_lock_that_is_held_for_too_long_is_reported_and_the_next_change_goes_through()
    {
        await using var impatient = await LogHost.Start(_database,
            builder => builder.Services.AddSingleton(new LogWriterOptions { LockTimeout = TimeSpan.FromMilliseconds(100) }));
        await using (var holder = await Db.BeginTransaction())
        {
            await holder.Execute("UPDATE log_head SET position = position");
            var failure = await Assert.ThrowsAsync<LogUnavailableException>(() => impatient.Append(new Note(Guid.NewGuid())));
            Assert.False(failure.MayBeStored);
        }
        Assert.Equal(new LogPosition(1), await impatient.Append(new Note(Guid.NewGuid())));
    }

    static Action<IHostApplicationBuilder> Through(TcpProxy proxy) => builder =>
    {
        builder.Configuration["database:args:host"] = "127.0.0.1";
        builder.Configuration["database:args:port"] = $"{proxy.Port}";
    };

    Task<long> Commits() => Db.GetOne<long>("SELECT coalesce(sum(batch), 0)::bigint FROM log_writers");

    Task WaitUntilOneWaitsForTheLock() => Eventually.True("a writer waits for the lock", async () => await Db.GetOne<int>("""
        SELECT count(*)::int FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'log-writer%' AND wait_event_type = 'Lock'
        """) > 0);

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
