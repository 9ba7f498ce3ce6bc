using System.Collections.Concurrent;
using Matrix.Storage;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Matrix.Replication.Tests;

/// <summary>A connection that breaks at the wrong moment, and a lock that is not to be had: every change is in the log once, or its caller knows that it is not.</summary>
public sealed class LogWriterOutageTests : LogTests
{
    NpgsqlConnectionStringBuilder At => new(_database.ConnectionString);

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
    public async Task A_lock_that_is_held_for_too_long_is_reported_and_the_next_change_goes_through()
    {
        // every statement has to end within it, also those that wait for nobody
        await using var impatient = await LogHost.Start(_database,
            builder => builder.Services.AddSingleton(new LogWriterOptions { LockTimeout = TimeSpan.FromSeconds(1) }));
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
}
