using System.Diagnostics;
using System.Globalization;
using Matrix.Storage;
using Matrix.Testing;

namespace Matrix.Replication.Tests;

/// <summary>
/// The log's invariants with several processes that are killed at random, over a RabbitMQ that goes away now and then and whose messages are
/// lost, repeated and reordered, and a Postgres that cuts connections.
/// </summary>
public sealed class SeveralProcessesTests : IAsyncLifetime
{
    /// <summary>Seconds of trouble: more finds more. <c>MATRIX_TEST_TROUBLE=600</c> for a night.</summary>
    static readonly TimeSpan Trouble =
        TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_TROUBLE"), CultureInfo.InvariantCulture, out var seconds) ? seconds : 10);

    readonly List<WorkerProcess> _all = [];
    TestDatabase _database = null!;
    TcpProxy _rabbitMq = null!;
    Dictionary<string, string?> _configuration = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create();
        await _database.Db.Execute(Note.Schema);
        var broker = new Uri(await TestServices.RabbitMq);
        _rabbitMq = new TcpProxy(broker.Host, broker.Port);
        var user = broker.UserInfo.Split(':');
        _configuration = new(LogHost.DatabaseSettings(_database.ConnectionString))
        {
            ["rabbitmq:host"] = "127.0.0.1",
            ["rabbitmq:port"] = $"{_rabbitMq.Port}",
            ["rabbitmq:username"] = user is [{ Length: > 0 }, _] ? user[0] : "guest",
            ["rabbitmq:password"] = user is [_, var password] ? password : "guest",
        };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _all)
            await worker.DisposeAsync();
        await _rabbitMq.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Whatever_happens_the_log_has_no_hole_and_no_acknowledged_change_is_lost_doubled_or_out_of_order()
    {
        var alive = Enumerable.Range(0, 3).Select(_ => Start()).ToList();
        await Task.WhenAll(alive.Select(worker => worker.AtWork));
        using var over = new CancellationTokenSource();
        var watching = WatchForHoles(over.Token);
        await MakeTrouble(alive);

        await Task.WhenAll(alive.Select(worker => worker.StopAppending()));
        var head = await _database.Db.GetOne<long>("SELECT position FROM log_head", null, Ct);
        await Task.WhenAll(alive.Select(worker => worker.FollowUntil(head)));
        await over.CancelAsync();
        var snapshots = await watching;

        var log = await _database.Db.List<string>("SELECT key FROM log ORDER BY position", null, Ct);
        Assert.Equal(head, log.Count);
        Assert.Equal(log, await Note.List(_database.Db)); // each stored once, at its entry's position
        foreach (var (first, keys) in _all.SelectMany(worker => worker.Stored))
            Assert.Equal(keys, log.Skip((int)first - 1).Take(keys.Length));
        foreach (var worker in _all)
            AssertFollowedInOrder(worker, log);
        Assert.All(alive, worker => Assert.Equal(head, worker.Followed[^1].Position));
        Report($"{_all.Count} processes, {_all.Count - alive.Count} of them killed; {head} entries, "
            + $"{_all.Sum(worker => worker.Stored.Count)} changes acknowledged, {snapshots} snapshots without a hole");
    }

    async Task MakeTrouble(List<WorkerProcess> alive)
    {
        var watch = Stopwatch.StartNew();
        var random = new Random();
        while (watch.Elapsed < Trouble)
        {
            switch (random.Next(6))
            {
                case 0 or 1 when alive.FindIndex(worker => worker.AtWork.IsCompleted) is >= 0 and var victim:
                    await alive[victim].Kill();
                    alive.RemoveAt(victim);
                    alive.Add(Start());
                    break;
                case 2:
                    _rabbitMq.GoAway();
                    break;
                case 3:
                    _rabbitMq.ComeBack();
                    break;
                default:
                    await _database.Db.Execute("""
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'log-writer%' AND random() < 0.5
                        """, null, Ct);
                    break;
            }
            await Task.Delay(random.Next(400), Ct);
        }
        _rabbitMq.ComeBack();
        await Task.WhenAll(alive.Select(worker => worker.AtWork));
    }

    /// <summary>At every moment, whoever sees a position sees all below it.</summary>
    async Task<int> WatchForHoles(CancellationToken over)
    {
        var snapshots = 0;
        while (!over.IsCancellationRequested)
        {
            var (head, newest, count) = await _database.Db.GetOne<(long, long, long)>("""
                SELECT (SELECT position FROM log_head), coalesce(max(position), 0), count(*) FROM log
                """, null, Ct);
            Assert.Equal((head, head), (newest, count));
            snapshots++;
        }
        return snapshots;
    }

    static void AssertFollowedInOrder(WorkerProcess worker, IReadOnlyList<string> log)
    {
        if (worker.Followed.Count == 0)
            return;
        var from = worker.Followed[0].Position;
        Assert.Equal(Enumerable.Range(0, worker.Followed.Count).Select(i => (from + i, log[(int)(from + i - 1)])), worker.Followed);
    }

    WorkerProcess Start()
    {
        var worker = new WorkerProcess(appenders: 6, _configuration);
        _all.Add(worker);
        return worker;
    }

    static void Report(string text) => TestContext.Current.TestOutputHelper?.WriteLine(text);
}
